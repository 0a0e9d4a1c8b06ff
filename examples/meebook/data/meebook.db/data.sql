INSERT INTO controllers VALUES
    (1, 'Lyngdal Kommune', '3 months', '{-1500}', NULL),
    (2, 'Østermarken Friskole', '1 year', '{-900}', '{-800}'),
    (3, 'Havbakken Kommune', NULL, NULL, '{-500}'),
    (4, 'Skovby Privatskole', 'immediately', '{-300}', NULL);

INSERT INTO people VALUES
    (1, 1, 'pupil', 'Ea Lund', NULL, '3.b', NULL),
    (2, 1, 'parent', 'Bo Lund', 'bo.lund@example.org', NULL, NULL),
    (3, 1, 'pupil', 'Ditlev Vang', NULL, '9.a', '{-150}'),
    (4, 1, 'parent', 'Gro Vang', 'gro.vang@example.org', NULL, '{-150}'),
    (5, 1, 'pupil', 'Cecilie Bak', NULL, '9.a', '{-20}'),
    (6, 2, 'teacher', 'Frode Åkjær', 'frode.aakjaer@example.org', NULL, NULL),
    (7, 2, 'pupil', 'Astrid Højmark', NULL, '5.', '{-1000}'),
    (8, 3, 'pupil', 'Håkon Skovby', NULL, '7.c', '{-700}'),
    (9, 3, 'teacher', 'Signe Østerlund', 'signe.oesterlund@example.org', NULL, NULL),
    (10, 4, 'pupil', 'Mads Birk', NULL, '1.', '{-1}'),
    (11, 4, 'teacher', 'Ida Holmgård', 'ida.holmgaard@example.org', NULL, NULL);

INSERT INTO guardians VALUES (2, 1), (4, 3);

INSERT INTO entries VALUES
    (1, 1, 'plan', 'Brøker og decimaltal i uge 8', NULL, '{-30}T08:00:00Z'),
    (2, 3, 'picture', 'Fra lejrturen', 'lejrtur.png', '{-200}T12:30:00Z'),
    (3, 3, 'note', 'Skal huske idrætstøj', NULL, '{-190}T07:45:00Z'),
    (4, 6, 'plan', 'Årsplan for dansk', NULL, '{-850}T13:00:00Z'),
    (5, 8, 'note', 'Læser gerne højt', NULL, '{-720}T09:00:00Z'),
    (6, 11, 'picture', 'Tavlen efter timen', 'tavle.png', '{-10}T10:20:00Z');

INSERT INTO customer_contacts VALUES
    (1, 1, 'Karen Dalsø', 'karen.dalsoe@example.org', '+45 00 00 00 01', 'Skolekonsulent', NULL, NULL),
    (2, 2, 'Jens Holmgård', 'jens.holmgaard@example.org', '+45 00 00 00 02', 'Skoleleder', '{-800}', NULL),
    (3, 3, 'Mette Birk', 'mette.birk@example.org', NULL, 'Indkøber', '{-100}', NULL),
    (4, 4, 'Tove Holmgård', 'tove.holmgaard@example.org', NULL, 'Skoleleder', '{-10}', '{-1}T08:45:00Z');

INSERT INTO invoices VALUES
    (4001, 1, 'Karen Dalsø', 4800000, '{-2400}'),
    (4002, 1, 'Karen Dalsø', 5100000, '{-300}'),
    (4003, 2, 'Jens Holmgård', 900000, '{-850}');

INSERT INTO course_participants VALUES
    (1, 'Kom godt i gang', 'webinar', 'Ida Holmgård', 'ida.holmgaard@example.org', 'Skovby Privatskole', '{-60}', NULL),
    (2, 'Årsplaner på en time', 'course', 'Frode Åkjær', 'frode.aakjaer@example.org', 'Østermarken Friskole', '{-820}', NULL),
    (3, 'Kom godt i gang', 'webinar', 'Tove Holmgård', 'tove.holmgaard@example.org', 'Skovby Privatskole', '{-60}', '{-1}T08:45:00Z');

INSERT INTO newsletter VALUES
    (1, 'Karen Dalsø', 'karen.dalsoe@example.org', NULL),
    (2, 'Jens Holmgård', 'jens.holmgaard@example.org', '{-1}T16:00:00Z');

INSERT INTO visits VALUES
    (1, 'v1a2b', '/', '{-1}T19:00:00Z'),
    (2, 'v1a2b', '/priser', '{-1}T19:01:00Z'),
    (3, 'v77f0', '/', '{-500}T10:00:00Z');

INSERT INTO social_media_copies VALUES
    (1, 'profile', 'ea_i_skolen', NULL, '{-400}T11:00:00Z', NULL, NULL),
    (2, 'comment', 'birk.mette', 'Det virker rigtig godt hos os', '{-20}T20:00:00Z', NULL, NULL),
    (3, 'competition', 'gro.paa.tur', 'Mit bedste gæt er 212', '{-130}T18:00:00Z', '{-120}', NULL),
    (4, 'competition', 'haakon77', 'Jeg gætter på 198', '{-3}T18:30:00Z', NULL, NULL),
    (5, 'comment', 'tove.h', 'Hvornår kommer den næste?', '{-15}T21:00:00Z', NULL, '{-1}T08:45:00Z');

INSERT INTO record_of_processing VALUES
    (1, 'platform', 'Læringsplatform for skoler', '{-1500}', NULL),
    (2, 'newsletter', 'Udsendelse af nyhedsbrev', '{-1500}', '{-400}'),
    (3, 'newsletter', 'Udsendelse af nyhedsbrev om kurser og nyheder', '{-400}', NULL);
