-- Everything that stands in the store's schema, a line each, without the schema's name. What a fresh store has is in shape.txt.
WITH own AS (
    SELECT c.*, quote_ident(n.nspname) || '.' AS prefix
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = current_schema()
), lines (line) AS (
    SELECT 'relation ' || relname || ' ' || relkind::text || CASE WHEN relrowsecurity THEN ' with policies' ELSE '' END
    FROM own WHERE relkind <> 'i'
    UNION ALL
    SELECT 'column ' || c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
        || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END || CASE WHEN a.atthasdef THEN ' with default' ELSE '' END
    FROM own c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind <> 'i'
    UNION ALL
    SELECT 'constraint ' || c.relname || '.' || k.conname || ' ' || replace(pg_get_constraintdef(k.oid), c.prefix, '')
    FROM own c JOIN pg_constraint k ON k.conrelid = c.oid WHERE k.contype IN ('p', 'u', 'f', 'c', 'x')
    UNION ALL
    SELECT 'index ' || c.relname || ' ' || replace(pg_get_indexdef(c.oid), c.prefix, '')
    FROM own c WHERE c.relkind = 'i'
    UNION ALL
    SELECT 'trigger ' || c.relname || '.' || t.tgname || ' ' || t.tgenabled::text || ' '
        || replace(pg_get_triggerdef(t.oid), c.prefix, '')
    FROM own c JOIN pg_trigger t ON t.tgrelid = c.oid WHERE NOT t.tgisinternal
    UNION ALL
    SELECT 'rule ' || c.relname || '.' || r.rulename FROM own c JOIN pg_rewrite r ON r.ev_class = c.oid
    UNION ALL
    SELECT 'function ' || p.proname || ' ' || md5(p.prosrc)
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = current_schema()
)
SELECT line FROM lines ORDER BY line COLLATE "C"
