CREATE TABLE courses (id INTEGER PRIMARY KEY, title TEXT NOT NULL, starts_on TEXT NOT NULL, ended_on TEXT);

CREATE TABLE partner_mails (
    id INTEGER PRIMARY KEY,
    course_id INTEGER NOT NULL REFERENCES courses (id),
    kind TEXT NOT NULL CHECK (kind IN ('enrolment', 'result')),
    teacher TEXT NOT NULL,
    participant TEXT NOT NULL,
    body TEXT NOT NULL
);

CREATE TABLE participations (
    id INTEGER PRIMARY KEY,
    course_id INTEGER NOT NULL REFERENCES courses (id),
    name TEXT NOT NULL,
    mail TEXT NOT NULL,
    certification TEXT CHECK (certification IN ('passed', 'failed')),
    erasure_requested_at TEXT
);

CREATE TABLE newsletter (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    mail TEXT NOT NULL,
    consented_at TEXT NOT NULL,
    withdrawn_at TEXT
);

CREATE TABLE invoices (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    company TEXT,
    address TEXT NOT NULL,
    mail TEXT NOT NULL,
    amount INTEGER NOT NULL,
    issued_on TEXT NOT NULL
);

CREATE TABLE event_sign_ups (
    id INTEGER PRIMARY KEY,
    event TEXT NOT NULL,
    name TEXT NOT NULL,
    title TEXT,
    company TEXT,
    mail TEXT NOT NULL,
    purpose_ended_at TEXT
);

CREATE TABLE enquiries (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    mail TEXT NOT NULL,
    body TEXT NOT NULL,
    received_at TEXT NOT NULL,
    purpose_ended_at TEXT
);
