INSERT INTO courses VALUES
    (1, 'Projektledelse, grundforløb', '{-2400}', '{-2395}'),
    (2, 'Certificering i projektledelse', '{-700}', '{-695}'),
    (3, 'Agil planlægning', '{-6}', '{-2}'),
    (4, 'Forandringsledelse', '{-1}', '{+3}'),
    (5, 'Certificering i risikostyring', '{+30}', NULL);

INSERT INTO partner_mails VALUES
    (1, 3, 'enrolment', 'Gro Vang', 'Ditlev Østerlund', 'Ditlev Østerlund er tilmeldt certificeringen.'),
    (2, 3, 'result', 'Gro Vang', 'Ditlev Østerlund', 'Ditlev Østerlund har bestået.'),
    (3, 4, 'enrolment', 'Frode Åkjær', 'Ea Højmark', 'Ea Højmark er tilmeldt certificeringen.'),
    (4, 5, 'enrolment', 'Gro Vang', 'Bo Skovby', 'Bo Skovby er tilmeldt certificeringen.');

INSERT INTO participations VALUES
    (1, 1, 'Astrid Lund', 'astrid.lund@example.org', NULL, NULL),
    (2, 1, 'Håkon Bak', 'haakon.bak@example.org', 'passed', NULL),
    (3, 2, 'Cecilie Vang', 'cecilie.vang@example.org', 'failed', NULL),
    (4, 2, 'Ditlev Østerlund', 'ditlev.oesterlund@example.org', 'passed', '{-1}T09:30:00Z'),
    (5, 3, 'Ditlev Østerlund', 'ditlev.oesterlund@example.org', 'passed', NULL),
    (6, 4, 'Ea Højmark', 'ea.hoejmark@example.org', NULL, NULL),
    (7, 5, 'Bo Skovby', 'bo.skovby@example.org', NULL, NULL);

INSERT INTO newsletter VALUES
    (1, 'Astrid Lund', 'astrid.lund@example.org', '{-900}T10:00:00Z', '{-1}T21:15:00Z'),
    (2, 'Bo Skovby', 'bo.skovby@example.org', '{-400}T08:00:00Z', NULL),
    (3, 'Ea Højmark', 'ea.hoejmark@example.org', '{-20}T12:00:00Z', NULL);

INSERT INTO invoices VALUES
    (3001, 'Astrid Lund', 'Lyngdal Kommune', 'Mågevej 12, 8000 Aarhus C', 'astrid.lund@example.org', 1199500, '{-2420}'),
    (3002, 'Ditlev Østerlund', NULL, 'Birkealle 3, 5000 Odense C', 'ditlev.oesterlund@example.org', 899500, '{-710}'),
    (3003, 'Ea Højmark', 'Højmark & Bak', 'Søndre Torv 7, 9000 Aalborg', 'ea.hoejmark@example.org', 749500, '{-3}');

INSERT INTO event_sign_ups VALUES
    (1, 'Projektdagen', 'Håkon Bak', 'Projektleder', 'Bak & Lund Rådgivning', 'haakon.bak@example.org', '{-2}T07:00:00Z'),
    (2, 'Projektdagen', 'Cecilie Vang', NULL, 'Åparkens Tegnestue', 'cecilie.vang@example.org', '{-2}T07:00:00Z'),
    (3, 'Morgenmøde om risiko', 'Bo Skovby', 'Chefkonsulent', 'Havbakken Kommune', 'bo.skovby@example.org', NULL);

INSERT INTO enquiries VALUES
    (1, 'Frode Lund', 'frode.lund@example.org', 'Holder I kurser i Aarhus?', '{-40}T10:10:00Z', '{-3}T15:00:00Z'),
    (2, 'Gro Åkjær', 'gro.aakjaer@example.org', 'Kan vi få et tilbud for ti deltagere?', '{-4}T11:45:00Z', NULL);
