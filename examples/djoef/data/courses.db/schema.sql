CREATE TABLE participations (
    id INTEGER PRIMARY KEY,
    member_no TEXT,
    user_name TEXT NOT NULL,
    name TEXT NOT NULL,
    mail TEXT NOT NULL,
    workplace TEXT,
    position TEXT,
    seminar TEXT NOT NULL,
    feedback TEXT,
    password_hash TEXT NOT NULL,
    took_part_on TEXT,
    erasure_requested_at TEXT
);

CREATE TABLE correspondence (
    id INTEGER PRIMARY KEY,
    participation_id INTEGER NOT NULL REFERENCES participations (id),
    body TEXT NOT NULL,
    sent_at TEXT NOT NULL
);
CREATE INDEX correspondence_participation_id ON correspondence (participation_id);

CREATE TABLE survey_answers (
    id INTEGER PRIMARY KEY,
    seminar TEXT NOT NULL,
    name TEXT,
    mail TEXT,
    workplace TEXT,
    position TEXT,
    question TEXT NOT NULL,
    answer TEXT NOT NULL,
    took_part_on TEXT NOT NULL,
    erasure_requested_at TEXT
);

-- Should be empty: nothing is to be recorded.
CREATE TABLE recordings (
    id INTEGER PRIMARY KEY,
    seminar TEXT NOT NULL,
    path TEXT NOT NULL,
    started_at TEXT NOT NULL,
    ended_at TEXT
);
CREATE INDEX recordings_path ON recordings (path);

CREATE TABLE consents (
    id INTEGER PRIMARY KEY,
    member_no TEXT NOT NULL,
    name TEXT NOT NULL,
    mail TEXT NOT NULL,
    given_at TEXT NOT NULL
);
