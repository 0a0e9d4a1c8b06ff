CREATE TABLE controllers (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    keep TEXT,
    instructed_on TEXT,
    terminated_on TEXT
);

CREATE TABLE people (
    id INTEGER PRIMARY KEY,
    controller_id INTEGER NOT NULL REFERENCES controllers (id),
    role TEXT NOT NULL CHECK (role IN ('pupil', 'parent', 'teacher')),
    name TEXT NOT NULL,
    mail TEXT,
    class TEXT,
    left_on TEXT
);

CREATE TABLE guardians (
    guardian_id INTEGER NOT NULL REFERENCES people (id),
    pupil_id INTEGER NOT NULL REFERENCES people (id)
);
CREATE INDEX guardians_guardian_id ON guardians (guardian_id);
CREATE INDEX guardians_pupil_id ON guardians (pupil_id);

CREATE TABLE entries (
    id INTEGER PRIMARY KEY,
    person_id INTEGER NOT NULL REFERENCES people (id),
    kind TEXT NOT NULL CHECK (kind IN ('plan', 'note', 'picture')),
    body TEXT,
    picture TEXT,
    written_at TEXT NOT NULL
);
CREATE INDEX entries_person_id ON entries (person_id);
CREATE INDEX entries_picture ON entries (picture);

CREATE TABLE customer_contacts (
    id INTEGER PRIMARY KEY,
    controller_id INTEGER NOT NULL REFERENCES controllers (id),
    name TEXT NOT NULL,
    mail TEXT NOT NULL,
    telephone TEXT,
    position TEXT,
    ended_on TEXT,
    erasure_requested_at TEXT
);

CREATE TABLE invoices (
    number INTEGER PRIMARY KEY,
    controller_id INTEGER NOT NULL REFERENCES controllers (id),
    attention_of TEXT NOT NULL,
    amount INTEGER NOT NULL,
    issued_on TEXT NOT NULL
);
CREATE INDEX invoices_controller_id ON invoices (controller_id);

CREATE TABLE course_participants (
    id INTEGER PRIMARY KEY,
    course TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('course', 'webinar')),
    name TEXT NOT NULL,
    mail TEXT NOT NULL,
    school TEXT,
    held_on TEXT NOT NULL,
    erasure_requested_at TEXT
);

CREATE TABLE newsletter (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    mail TEXT NOT NULL,
    unsubscribed_at TEXT
);

CREATE TABLE visits (id INTEGER PRIMARY KEY, visitor TEXT NOT NULL, page TEXT NOT NULL, at TEXT NOT NULL);

CREATE TABLE social_media_copies (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('profile', 'comment', 'competition')),
    profile TEXT NOT NULL,
    body TEXT,
    at TEXT NOT NULL,
    drawn_on TEXT,
    erasure_requested_at TEXT
);

CREATE TABLE record_of_processing (
    id INTEGER PRIMARY KEY,
    activity TEXT NOT NULL,
    purpose TEXT NOT NULL,
    valid_from TEXT NOT NULL,
    valid_until TEXT
);
