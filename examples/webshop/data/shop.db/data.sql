INSERT INTO customers VALUES
    (1, 'Astrid Lund', 'astrid.lund@example.org', NULL, NULL, NULL, NULL),
    (2, 'Bo Skovby', 'bo.skovby@example.org', '{-2000}', NULL, NULL, NULL),
    (3, 'Cecilie Vang', 'cecilie.vang@example.org', '{-2000}', NULL, NULL, NULL),
    (4, 'Ditlev Østerlund', 'ditlev.oesterlund@example.org', '{-400}', NULL, NULL, NULL),
    (5, 'Ea Højmark', 'ea.hoejmark@example.org', '{-3000}', NULL, NULL, NULL),
    (6, 'Frode Åkjær', 'frode.aakjaer@example.org', '{-100}', '{-2}T09:00:00Z', NULL, NULL),
    (7, 'Gro Bak', 'gro.bak@example.org', '{-2500}', NULL, '{-600}T10:00:00Z', NULL),
    (8, 'Håkon Birk', 'haakon.birk@example.org', '{-2000}', NULL, NULL, NULL);

INSERT INTO enrolments VALUES
    (1, 1, 'Førstehjælp', NULL),
    (2, 2, 'Førstehjælp', '{-2100}'),
    (3, 5, 'Regneark for begyndere', '{-3010}'),
    (4, 8, 'Konflikthåndtering', NULL);

INSERT INTO accounts VALUES
    (1, 1, 'astrid', 'argon2id:7f0c', 'Mågevej 12, 8000 Aarhus C', '+45 00 00 00 01'),
    (2, 2, 'bo.skovby', 'argon2id:91aa', 'Birkealle 3, 5000 Odense C', NULL),
    (3, 3, 'cecilie', 'argon2id:e03b', 'Søndre Torv 7, 9000 Aalborg', '+45 00 00 00 03'),
    (4, 6, 'frode', 'argon2id:10d9', 'Åparken 21, 7100 Vejle', NULL);

INSERT INTO cards VALUES
    (1, 1, '0001', strftime('%m/%Y', '{+400}')),
    (2, 3, '0003', strftime('%m/%Y', '{-70}'));

INSERT INTO invoices VALUES
    (5001, 1, 'Astrid Lund', 'Mågevej 12, 8000 Aarhus C', 249500, '{-300}'),
    (5002, 3, 'Cecilie Vang', 'Søndre Torv 7, 9000 Aalborg', 99500, '{-1500}'),
    (5003, 5, 'Ea Højmark', 'Kirsebærhaven 4, 4000 Roskilde', 149500, '{-3000}'),
    (5004, NULL, 'Signe Holmgård', 'Åparken 8, 7100 Vejle', 49500, '{-2800}');

INSERT INTO enquiries VALUES
    (1, 'Karen Dalsø', 'karen.dalsoe@example.org', 'Er der ledige pladser i marts?', '{-900}T09:12:00Z', NULL),
    (2, 'Jens Holmgård', 'jens.holmgaard@example.org', 'Kan man betale med EAN?', '{-900}T14:03:00Z', NULL),
    (3, 'Astrid Lund', 'Astrid.Lund@example.org', 'Hvilket kursus passer til mig?', '{-1000}T07:30:00Z', NULL),
    (4, 'Mette Birk', 'mette.birk@example.org', 'Holder I kurser på engelsk?', '{-12}T16:40:00Z', NULL),
    (5, 'Ida Birk', 'ida.birk@example.org', 'Kan jeg bytte hold?', '{-30}T11:20:00Z', '{-1}T08:00:00Z');

INSERT INTO replies VALUES
    (1, 1, 'Ja, der er tre pladser tilbage.', '{-899}T08:00:00Z'),
    (2, 2, 'Ja, skriv EAN-nummeret ved bestillingen.', '{-898}T08:30:00Z'),
    (3, 2, 'Fakturaen er sendt igen.', '{-500}T10:00:00Z'),
    (4, 3, 'Begynd med førstehjælp.', '{-999}T09:00:00Z');

INSERT INTO topics VALUES ('price', '6 months'), ('complaint', '5 years'), ('cooperation', '10 years'),
    ('security', '2 years');

INSERT INTO contacts VALUES
    (1, 'Ida Dalsø', 'ida.dalsoe@example.org', NULL, 'price', '{-300}', NULL),
    (2, 'Mads Holmgård', NULL, '+45 00 00 00 12', 'complaint', '{-300}', NULL),
    (3, 'Signe Lund', 'signe.lund@example.org', NULL, 'cooperation', '{-1900}', NULL),
    (4, 'Karl Vang', NULL, '+45 00 00 00 14', NULL, '{-1850}', NULL),
    (5, 'Tove Bak', NULL, '+45 00 00 00 15', NULL, '{-30}', NULL),
    (6, 'Frode Åkjær', 'frode.aakjaer@example.org', NULL, 'complaint', '{-90}', '{-2}T09:00:00Z');

INSERT INTO newsletter VALUES
    (1, 'Astrid Lund', 'astrid.lund@example.org', NULL),
    (2, 'Karl Vang', 'karl.vang@example.org', '{-1}T18:22:00Z');

INSERT INTO payment_sessions VALUES
    ('s-4f1b', 9001, '{-3}T10:00:00Z', NULL),
    ('s-77c2', 9002, '{-1}T20:00:00Z', '{-1}T20:03:00Z'),
    ('s-a90e', 9003, '{0}T00:00:00Z', NULL);
