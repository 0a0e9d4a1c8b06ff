INSERT INTO participations VALUES
    (1, '70001', 'astrid.l', 'Astrid Lund', 'astrid.lund@example.org', 'Lyngdal Kommune', 'Fuldmægtig',
        'Forvaltningsret i praksis', 'Godt tempo', 'argon2id:7f0c', '{-1200}', NULL),
    (2, '70002', 'bo.skovby', 'Bo Skovby', 'bo.skovby@example.org', 'Havbakken Kommune', 'Chefkonsulent',
        'Forvaltningsret i praksis', NULL, 'argon2id:91aa', '{-1200}', NULL),
    (3, NULL, 'cecilie', 'Cecilie Vang', 'cecilie.vang@example.org', 'Åparkens Tegnestue', 'Jurist',
        'Forhandlingsteknik', 'Mere tid til øvelser', 'argon2id:e03b', '{-1150}', NULL),
    (4, NULL, 'ditlev', 'Ditlev Østerlund', 'ditlev.oesterlund@example.org', NULL, 'Studerende',
        'Forhandlingsteknik', NULL, 'argon2id:10d9', '{-60}', NULL),
    (5, '70003', 'ea.h', 'Ea Højmark', 'ea.hoejmark@example.org', 'Bak & Lund Rådgivning', 'Økonom',
        'Statistik for travle', NULL, 'argon2id:55b2', NULL, NULL),
    (6, NULL, 'frode', 'Frode Birk', 'frode.birk@example.org', 'Åparkens Tegnestue', 'Arkitekt',
        'Statistik for travle', 'Svært at følge med', 'argon2id:3c21', '{-90}', '{-1}T09:30:00Z');

INSERT INTO correspondence VALUES
    (1, 2, 'Linket til kurset virker ikke.', '{-1201}T08:02:00Z'),
    (2, 2, 'Her er et nyt link.', '{-1201}T08:20:00Z'),
    (3, 1, 'Kan jeg få slides?', '{-1199}T10:00:00Z'),
    (4, 6, 'Jeg kan ikke høre noget.', '{-90}T09:00:00Z');

INSERT INTO survey_answers VALUES
    (1, 'Forvaltningsret i praksis', 'Bo Skovby', 'bo.skovby@example.org', 'Havbakken Kommune', 'Chefkonsulent',
        'Hvad kan blive bedre?', 'Flere eksempler', '{-1200}', NULL),
    (2, 'Forhandlingsteknik', NULL, NULL, NULL, NULL, 'Hvad kan blive bedre?', 'Mere tid til øvelser', '{-1150}', NULL),
    (3, 'Forhandlingsteknik', 'Ditlev Østerlund', 'ditlev.oesterlund@example.org', NULL, 'Studerende',
        'Hvad kan blive bedre?', 'Ikke noget', '{-60}', NULL),
    (4, 'Statistik for travle', 'Frode Birk', 'frode.birk@example.org', 'Åparkens Tegnestue', 'Arkitekt',
        'Hvad kan blive bedre?', 'Mit mikrofonstik', '{-90}', '{-1}T09:30:00Z');

-- Two that somebody made all the same.
INSERT INTO recordings VALUES
    (1, 'Forhandlingsteknik', 'forhandlingsteknik.m4a', '{-1}T16:00:00Z', '{-1}T18:00:00Z'),
    (2, 'Statistik for travle', 'statistik.m4a', '{0}T00:00:00Z', NULL);

INSERT INTO consents VALUES
    (1, '70001', 'Astrid Lund', 'astrid.lund@example.org', '{-1201}T09:00:00Z'),
    (2, '70002', 'Bo Skovby', 'bo.skovby@example.org', '{-1900}T09:00:00Z');
