-- Fieldgate: the accounts as the table of cors-relay, for scripts that read and
-- write it: those of its one pool, without a port of their own.  An account
-- that is deleted here goes from all pools.

DROP VIEW IF EXISTS tb_src;

CREATE VIEW tb_src (token, expire, flag) AS
    SELECT name || ':' || password || '@' || host,
           strftime('%Y-%m-%d %H:%M:%S', expires_at, 'unixepoch', 'localtime'),
           0
    FROM source
    WHERE port = 0
          AND EXISTS (SELECT 1 FROM pool WHERE pool.source = source.id
                                               AND pool.name = 'default');

CREATE TRIGGER tb_src_insert INSTEAD OF INSERT ON tb_src
BEGIN
    SELECT raise(ABORT, 'token is not user:password@host')
        WHERE instr(new.token, ':') = 0
              OR length(rtrim(new.token, replace(new.token, '@', '')))
                 <= instr(new.token, ':');

    INSERT INTO source (host, name, password, expires_at)
        SELECT substr(new.token, at + 1),
               substr(new.token, 1, colon - 1),
               substr(new.token, colon + 1, at - colon - 1),
               coalesce(CASE WHEN new.expire LIKE '____-__-__%'
                             THEN strftime('%s', new.expire, 'utc') END,
                        CASE WHEN new.expire || '' > '9999'
                             THEN 253402214400 END,
                        strftime('%s', substr(new.expire, 1, 4)
                                       || '-12-31 23:59:59', 'utc'), 0)
        FROM (SELECT instr(new.token, ':') AS colon,
                     length(rtrim(new.token, replace(new.token, '@', '')))
                     AS at);
END;

CREATE TRIGGER tb_src_update INSTEAD OF UPDATE ON tb_src
BEGIN
    SELECT raise(ABORT, 'a token is changed by deleting and adding it')
        WHERE new.token <> old.token;

    UPDATE source
        SET expires_at =
                coalesce(CASE WHEN new.expire LIKE '____-__-__%'
                              THEN strftime('%s', new.expire, 'utc') END,
                         CASE WHEN new.expire || '' > '9999'
                              THEN 253402214400 END,
                         strftime('%s', substr(new.expire, 1, 4)
                                        || '-12-31 23:59:59', 'utc'), 0)
        WHERE port = 0
              AND name || ':' || password || '@' || host = old.token
              AND EXISTS (SELECT 1 FROM pool WHERE pool.source = source.id
                                                   AND pool.name = 'default');
END;

CREATE TRIGGER tb_src_delete INSTEAD OF DELETE ON tb_src
BEGIN
    DELETE FROM source
        WHERE port = 0
              AND name || ':' || password || '@' || host = old.token
              AND EXISTS (SELECT 1 FROM pool WHERE pool.source = source.id
                                                   AND pool.name = 'default');
END;
