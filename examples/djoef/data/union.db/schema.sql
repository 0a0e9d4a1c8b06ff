CREATE TABLE memberships (
    id INTEGER PRIMARY KEY,
    member_no TEXT NOT NULL,
    joined_on TEXT NOT NULL,
    left_on TEXT
);
