// Requests to the status and the API, and what their failures mean.  fetch is
// given, so that t/dashboard/client.test.mjs tests all of it without a network.

// What went wrong, as one of:
//
//   away     nginx does not answer, or says that somebody behind it does not
//   login    the login has expired, or there is none; prompts: the browser has
//            asked for a name and a password, in vain
//   absent   there is no such thing (any more)
//   failing  nginx answers, but cannot tell now: 503
//   refused  it does not want to: detail says why
//   bad      it answers something else than a status

export class Trouble extends Error {
    constructor(kind, status, detail, prompts = false) {
        super(detail);
        this.prompts = prompts;
        this.kind = kind;
        this.status = status;
        this.detail = detail;
    }
}


const kinds = { 401: 'login', 404: 'absent', 502: 'away', 503: 'failing',
                504: 'away' };


// Seconds until the next try after so many failures in a row: 2, 4, ... 60, a
// quarter more or less, so that the pages of many operators do not come all at
// once to an nginx that has just been started.

export function backoff(failures, random = Math.random()) {
    const seconds = Math.min(60, 2 ** Math.min(failures, 6));
    return seconds * (0.75 + random / 2);
}


export class Client {

    // base: the address of the location of the status, as in config.json;
    // page: of this page, which a relative one is relative to

    constructor({ base, page, fetch, patience = 20 }) {
        this.base = new URL(base.endsWith('/') ? base : base + '/', page);
        this.fetch = fetch;
        this.patience = patience;
        this.cache = new Map();
    }


    // One object; the same one as before, if nothing has changed

    async get(path) {
        const known = this.cache.get(path);
        const headers = { Accept: 'application/json' };

        if (known) {
            headers['If-None-Match'] = known.etag;
        }

        const reply = await this.request(path, { headers });

        if (reply.status === 304 && known) {
            return known.value;
        }

        if (!reply.ok) {
            throw await this.trouble(reply);
        }

        const value = await this.json(reply);
        const etag = reply.headers.get('ETag');

        if (etag) {
            this.cache.set(path, { etag, value });
        } else {
            this.cache.delete(path);
        }

        return value;
    }


    // A list, page by page: calls onPage(items, whether it is the last one).
    // Pages that there are no more are forgotten.  "most" is how many items are
    // read at most; the last call says whether there would be more.

    async list(path, onPage, { limit = 1000, most = 20000, q = '' } = {}) {
        const asked = new Set();
        let cursor = null;
        let count = 0;

        do {
            const args = new URLSearchParams({ limit });

            if (q) {
                args.set('q', q);
            }

            if (cursor !== null) {
                args.set('cursor', cursor);
            }

            const page = await this.get(`${path}?${args}`);

            if (!Array.isArray(page.items)) {
                throw new Trouble('bad', 200, `${path} is no list`);
            }

            asked.add(`${path}?${args}`);
            count += page.items.length;
            cursor = page.next ?? null;

            const last = cursor === null || count >= most;
            onPage(page.items, last, cursor !== null);

            if (last) {
                break;
            }

        } while (cursor !== null);

        for (const key of this.cache.keys()) {
            if (key.startsWith(path + '?') && !asked.has(key)) {
                this.cache.delete(key);
            }
        }
    }


    // A change.  What the API says, or null if it says nothing.

    async change(method, path, body = {}) {
        const reply = await this.request(path, {
            method, body: JSON.stringify(body),
            headers: { 'Content-Type': 'application/json' },
        });

        if (!reply.ok) {
            throw await this.trouble(reply);
        }

        return reply.status === 204 ? null : this.json(reply);
    }


    async request(path, options) {
        let reply;

        try {
            reply = await this.fetch(new URL(path, this.base), {
                credentials: 'same-origin', cache: 'no-store',
                redirect: 'manual',
                signal: AbortSignal.timeout(this.patience * 1000), ...options,
            });
        } catch (error) {
            throw new Trouble('away', 0, error.name === 'TimeoutError'
                              ? `no answer within ${this.patience} s`
                              : 'nginx does not answer');
        }

        // to a page for logins: a redirect is followed by people only

        if (reply.type === 'opaqueredirect' || reply.status >= 300
            && reply.status < 400 && reply.status !== 304)
        {
            throw new Trouble('login', reply.status, 'the login has expired');
        }

        return reply;
    }


    async json(reply) {
        const type = reply.headers.get('Content-Type') ?? '';

        try {
            if (/json/.test(type)) {
                return await reply.json();
            }
        } catch (error) {
            throw new Trouble(error instanceof SyntaxError ? 'bad' : 'away',
                              reply.status, 'an answer that is cut off');
        }

        throw new Trouble('bad', reply.status, `${this.base.pathname} is no `
                          + `status: it answers ${type || 'without a type'}`);
    }


    // the problem details of RFC 9457, if the answer has them

    async trouble(reply) {
        const problem = await reply.json().catch(() => ({}));
        const detail = problem.detail || problem.title
                       || `nginx answers ${reply.status}`;
        const kind = kinds[reply.status] ?? 'refused';

        const prompts = /^(?:basic|digest)\b/i.test(
            reply.headers.get('WWW-Authenticate') ?? '');

        return new Trouble(kind, reply.status, detail, prompts);
    }
}
