INSERT INTO schema_migrations VALUES (1), (2), (3);

INSERT INTO customers VALUES
    (1, 'Botilbuddet Åparken', 'kontor@aaparken.example', NULL, NULL),
    (2, 'Højmark Aktivitetshus', 'post@hoejmark.example', '{-100}', NULL),
    (3, 'Astrid Lund', 'astrid.lund@example.org', '{-60}', NULL),
    (4, 'Lyngdal Kommune', 'velfaerd@lyngdal.example', NULL, NULL),
    (5, 'Mads Birk', 'mads.birk@example.org', '{-5}', '{-2}T13:05:00Z');

INSERT INTO users VALUES
    (1, 1, 'Frode Vang', 'frode.vang@example.org', 'avatar-bo.png'),
    (2, 2, 'Bo Skovby', NULL, 'avatar-bo.png'),
    (3, 2, 'Ea Højmark', 'ea.hoejmark@example.org', NULL),
    (4, 3, 'Astrid Lund', 'astrid.lund@example.org', 'avatar-astrid.png');

INSERT INTO relations VALUES (3, 2, 'helper'), (1, 2, 'friend'), (4, 1, 'friend');

INSERT INTO activities VALUES
    (1, 2, 'Morgenmad', '{-130}T06:30:00Z'),
    (2, 2, 'Bussen til værkstedet', '{-130}T07:10:00Z'),
    (3, 1, 'Vasketøj', '{-3}T15:00:00Z');

INSERT INTO goals VALUES (1, 2, 'Komme op, når vækkeuret ringer'), (2, 4, 'Gå en tur hver dag');

INSERT INTO messages VALUES
    (1, 2, 3, 'Se, hvad jeg spiste', '{-120}T11:30:00Z'),
    (2, 3, 2, 'Det ser godt ud!', '{-120}T11:32:00Z'),
    (3, 1, 2, 'Skal vi til Dragør igen?', '{-110}T18:00:00Z'),
    (4, 4, 1, 'Vores nye hund', '{-70}T20:15:00Z');

INSERT INTO pictures VALUES (1, 1, 'frokost.png'), (2, 3, 'dragoer.png'), (3, 4, 'hund.png');

INSERT INTO invoices VALUES
    (20001, 1, 'Botilbuddet Åparken', 'Åparken 2, 8000 Aarhus C', 1250.0, strftime('%d-%m-%Y', '{-2500}')),
    (20002, 1, 'Botilbuddet Åparken', 'Åparken 2, 8000 Aarhus C', 1300.0, strftime('%d-%m-%Y', '{-400}')),
    (20003, 2, 'Højmark Aktivitetshus', 'Kirsebærhaven 4, 5000 Odense C', 900.0, strftime('%d-%m-%Y', '{-500}'));

INSERT INTO contacts VALUES
    (1, 'Gro Bak', 'gro.bak@example.org', 1, '{-700}', NULL),
    (2, 'Ditlev Åkjær', 'ditlev.aakjaer@example.org', NULL, '{-400}', NULL),
    (3, 'Signe Birk', 'signe.birk@example.org', NULL, '{-30}', NULL),
    (4, 'Karl Holmgård', 'karl.holmgaard@example.org', 2, '{-1900}', NULL),
    (5, 'Ida Dalsø', 'ida.dalsoe@example.org', NULL, '{-40}', '{-1}T10:30:00Z');

INSERT INTO enquiries VALUES
    (1, 1, 'Glemt adgangskode', 'Jeg kan ikke logge ind på tavlen.'),
    (2, 2, 'Priser', 'Hvad koster appen for et bosted med tolv pladser?'),
    (3, 4, 'Ny tablet', 'Kan vi flytte kalenderen over på en ny tablet?');

INSERT INTO page_views VALUES
    ('v1a2b', unixepoch('{-500}') * 1000, '/'),
    ('v1a2b', unixepoch('{-20}') * 1000, '/priser'),
    ('v77f0', unixepoch('{-500}') * 1000 + 250, '/kontakt');

INSERT INTO visitors VALUES ('v1a2b', unixepoch('{-20}') * 1000), ('v77f0', unixepoch('{-500}') * 1000 + 250);
