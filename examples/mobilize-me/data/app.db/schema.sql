CREATE TABLE schema_migrations (version INTEGER PRIMARY KEY);

CREATE TABLE customers (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    ended_at TEXT,
    erasure_requested_at TEXT
);

CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    name TEXT NOT NULL,
    email TEXT,
    avatar TEXT
);
CREATE INDEX users_customer_id ON users (customer_id);
CREATE INDEX users_avatar ON users (avatar);

CREATE TABLE relations (
    user_id INTEGER NOT NULL REFERENCES users (id),
    other_id INTEGER NOT NULL REFERENCES users (id),
    kind TEXT NOT NULL
);
CREATE INDEX relations_user_id ON relations (user_id);
CREATE INDEX relations_other_id ON relations (other_id);

CREATE TABLE activities (
    id INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id),
    title TEXT NOT NULL,
    starts_at TEXT NOT NULL
);
CREATE INDEX activities_user_id ON activities (user_id);

CREATE TABLE goals (
    id INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id),
    goal TEXT NOT NULL
);
CREATE INDEX goals_user_id ON goals (user_id);

CREATE TABLE messages (
    id INTEGER PRIMARY KEY,
    sender_id INTEGER NOT NULL REFERENCES users (id),
    recipient_id INTEGER REFERENCES users (id) ON DELETE SET NULL,
    body TEXT NOT NULL,
    sent_at TEXT NOT NULL
);
CREATE INDEX messages_sender_id ON messages (sender_id);
CREATE INDEX messages_recipient_id ON messages (recipient_id);

CREATE TABLE pictures (
    id INTEGER PRIMARY KEY,
    message_id INTEGER NOT NULL REFERENCES messages (id),
    path TEXT NOT NULL
);
CREATE INDEX pictures_message_id ON pictures (message_id);
CREATE INDEX pictures_path ON pictures (path);

CREATE TABLE invoices (
    number INTEGER PRIMARY KEY,
    customer_no INTEGER NOT NULL,
    name TEXT NOT NULL,
    address TEXT NOT NULL,
    amount REAL NOT NULL,
    issued_at TEXT NOT NULL
);
CREATE INDEX invoices_customer_no ON invoices (customer_no);

CREATE TABLE contacts (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    customer_no INTEGER,
    last_contact_at TEXT NOT NULL,
    erasure_requested_at TEXT
);

CREATE TABLE enquiries (
    id INTEGER PRIMARY KEY,
    contact_id INTEGER NOT NULL REFERENCES contacts (id),
    subject TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX enquiries_contact_id ON enquiries (contact_id);

CREATE TABLE page_views (
    visitor TEXT NOT NULL,
    at INTEGER NOT NULL,
    page TEXT NOT NULL,
    PRIMARY KEY (visitor, at)
) WITHOUT ROWID;

CREATE TABLE visitors (visitor TEXT PRIMARY KEY, last_seen_at INTEGER NOT NULL);
