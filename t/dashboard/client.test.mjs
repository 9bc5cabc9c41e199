import test from 'node:test';
import assert from 'node:assert/strict';
import { backoff, Client, Trouble } from '../../conf/dashboard/client.js';

// a server as a function of the address: { status, body, headers, type }

function client(serve, base = '/ntrip/') {
    const asked = [];

    const fetch = async (url, options) => {
        asked.push({ url: url.href, ...options });
        const { status = 200, body = {}, headers = {}, text, type }
            = await serve(url, options, asked.length);

        return type ? { type, status: 0 } : new Response(
            status === 204 || status === 304 ? null
            : text ?? JSON.stringify(body),
            { status, headers: { 'Content-Type': 'application/json',
                                 ...headers } });
    };

    return { asked, client: new Client({
        base, page: 'https://host/dashboard/', fetch }) };
}

const kind = (promise) => promise.then(() => 'none', (e) => {
    assert.ok(e instanceof Trouble, e);
    return e.kind;
});


test('where the status is', async () => {
    for (const [base, url] of [['/ntrip/', 'https://host/ntrip/counters'],
                               ['/ntrip', 'https://host/ntrip/counters'],
                               ['../n/', 'https://host/n/counters']])
    {
        const { asked, client: c } = client(() => ({}), base);
        await c.get('counters');
        assert.equal(asked[0].url, url);
    }
});


test('what has not changed is not sent again', async () => {
    const { asked, client: c } = client((url, options) =>
        options.headers['If-None-Match'] === '"1"'
        ? { status: 304 } : { body: { a: 1 }, headers: { ETag: '"1"' } });

    const first = await c.get('counters');
    assert.equal(await c.get('counters'), first);
    assert.equal(asked[1].headers['If-None-Match'], '"1"');
});


test('a list in pages', async () => {
    const { asked, client: c } = client((url) => {
        const at = Number(url.searchParams.get('cursor') ?? 0);
        return { body: { items: at === 1 ? [] : [{ id: at }],
                         next: at < 3 ? String(at + 1) : null },
                 headers: { ETag: `"${at}"` } };
    });
    const seen = [];

    await c.list('rovers', (items, last, more) =>
        seen.push([items.map((i) => i.id), last, more]), { q: 'a b' });

    assert.deepEqual(seen, [[[0], false, true], [[], false, true],
                            [[2], false, true], [[3], true, false]]);
    assert.match(asked[3].url, /rovers\?limit=1000&q=a\+b&cursor=3$/);
    assert.equal(c.cache.size, 4);

    await c.list('rovers', () => {});
    assert.equal(c.cache.size, 4, 'pages of another search are forgotten');
});


test('a list that is too long says so', async () => {
    const { client: c } = client(() => ({
        body: { items: [{}, {}, {}], next: 'x' } }));
    const seen = [];

    await c.list('users', (items, last, more) => seen.push([last, more]),
                 { most: 6 });
    assert.deepEqual(seen, [[false, true], [true, true]]);
});


test('what goes wrong', async () => {
    const cases = [
        [{ status: 401 }, 'login'], [{ status: 302 }, 'login'],
        [{ type: 'opaqueredirect' }, 'login'], [{ status: 403 }, 'refused'],
        [{ status: 404 }, 'absent'], [{ status: 500 }, 'refused'],
        [{ status: 502 }, 'away'], [{ status: 503 }, 'failing'],
        [{ text: '<html>', headers: { 'Content-Type': 'text/html' } }, 'bad'],
        [{ text: '{"a": 1' }, 'bad'],
    ];

    for (const [reply, expected] of cases) {
        const { client: c } = client(() => reply);
        assert.equal(await kind(c.get('counters')), expected,
                     JSON.stringify(reply));
    }

    const { client: c } = client(() => { throw new TypeError('failed'); });
    assert.equal(await kind(c.get('counters')), 'away');

    const { client: d } = client(() => ({ body: { no: 'list' } }));
    assert.equal(await kind(d.list('rovers', () => {})), 'bad');
});


test('whether the browser has asked for a password', async () => {
    for (const [value, prompts] of [['Basic realm="x"', true],
                                    ['Bearer', false], [null, false]])
    {
        const headers = value ? { 'WWW-Authenticate': value } : {};
        const { client: c } = client(() => ({ status: 401, headers }));
        await assert.rejects(c.get('counters'), { kind: 'login', prompts });
    }
});


test('the detail of a problem', async () => {
    const { client: c } = client(() => ({
        status: 409, body: { title: 'Conflict', detail: 'there is one' } }));

    await assert.rejects(c.change('POST', 'users', { name: 'a' }),
                         { kind: 'refused', status: 409,
                           detail: 'there is one' });
});


test('a change is JSON, with the credentials of this page only', async () => {
    const { asked, client: c } = client(() => ({ status: 204 }));

    assert.equal(await c.change('POST', 'rovers/5/kick'), null);
    assert.equal(asked[0].method, 'POST');
    assert.equal(asked[0].headers['Content-Type'], 'application/json');
    assert.equal(asked[0].credentials, 'same-origin');
    assert.equal(asked[0].body, '{}');
});


test('pauses grow to a minute', () => {
    assert.deepEqual([1, 2, 3, 4, 5, 6, 50].map((n) => backoff(n, 0.5)),
                     [2, 4, 8, 16, 32, 60, 60]);
    assert.equal(backoff(6, 0), 45);
    assert.equal(backoff(6, 1), 75);
});
