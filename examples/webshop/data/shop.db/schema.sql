CREATE TABLE customers (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    mail TEXT NOT NULL,
    ended_on TEXT,
    erasure_requested_at TEXT,
    restricted_at TEXT,
    restriction_lifted_at TEXT
);
CREATE INDEX customers_mail ON customers (lower(mail));

CREATE TABLE enrolments (
    id INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    course TEXT NOT NULL,
    ended_on TEXT
);
CREATE INDEX enrolments_customer_id ON enrolments (customer_id);

CREATE TABLE accounts (
    id INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    user_name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    billing_address TEXT NOT NULL,
    telephone TEXT
);
CREATE INDEX accounts_customer_id ON accounts (customer_id);

CREATE TABLE cards (
    id INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    last_digits TEXT NOT NULL,
    expires TEXT NOT NULL
);
CREATE INDEX cards_account_id ON cards (account_id);

CREATE TABLE invoices (
    number INTEGER PRIMARY KEY,
    customer_id INTEGER REFERENCES customers (id),
    name TEXT NOT NULL,
    address TEXT NOT NULL,
    amount INTEGER NOT NULL,
    issued_on TEXT NOT NULL
);
CREATE INDEX invoices_customer_id ON invoices (customer_id);

CREATE TABLE enquiries (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    mail TEXT NOT NULL,
    message TEXT NOT NULL,
    received_at TEXT NOT NULL,
    erasure_requested_at TEXT
);

CREATE TABLE replies (
    id INTEGER PRIMARY KEY,
    enquiry_id INTEGER NOT NULL REFERENCES enquiries (id),
    message TEXT NOT NULL,
    sent_at TEXT NOT NULL
);
CREATE INDEX replies_enquiry_id ON replies (enquiry_id);

CREATE TABLE topics (name TEXT PRIMARY KEY, keep TEXT NOT NULL);

CREATE TABLE contacts (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    mail TEXT,
    telephone TEXT,
    about TEXT REFERENCES topics (name),
    last_contact_on TEXT NOT NULL,
    erasure_requested_at TEXT
);
CREATE INDEX contacts_about ON contacts (about);

CREATE TABLE newsletter (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    mail TEXT NOT NULL,
    unsubscribed_at TEXT
);

CREATE TABLE payment_sessions (
    token TEXT PRIMARY KEY,
    order_number INTEGER NOT NULL,
    started_at TEXT NOT NULL,
    returned_at TEXT
);
