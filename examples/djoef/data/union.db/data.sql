INSERT INTO memberships VALUES
    (1, '70001', '{-3000}', NULL),
    (2, '70002', '{-2800}', '{-90}'),
    (3, '70003', '{-200}', NULL);
