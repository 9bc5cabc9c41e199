// What is wrong, told before customers call.  Pure; tested by
// t/dashboard/warnings.test.mjs.  The same things as the alarms of
// conf/monitoring/rules.yml, and those that only a look at a list shows.
//
// A warning is { level: 'critical' | 'warning', key, text, tab, query }: "tab"
// and "query" are where to look.

import * as format from './format.js';
import { gained } from './rates.js';
import { pools } from './state.js';

export const limits = {
    silent: 30,              // seconds without an epoch, while rovers wait
    patience: 20,            // seconds that an account may take to be found
    free: 0.1,               // of a pool's accounts
    full: 0.9,               // of a table's rows
    worker: 10,              // seconds since a worker was seen to work
    ending: 7 * 86400,       // seconds before an account expires
    certificate: 14 * 86400, // before a provider's certificate ends
    window: 300,             // seconds for what counters have gained
    wakeups: 5,              // fewer of them tell nothing
};


export function warnings(state, now) {
    const found = [
        ...links(state, now), ...streams(state, now),
        ...certificates(state, now), ...accounts(state, now), ...pooled(state),
        ...workers(state), ...stations(state), ...tables(state),
        ...counters(state),
    ];

    const rank = { critical: 0, warning: 1 };
    return together(found).sort((a, b) => rank[a.level] - rank[b.level]);
}


// the worst of them, for the favicon

export const worst = (found) => found.length ? found[0].level : 'fine';


const critical = (key, text, tab, query = '') =>
    ({ level: 'critical', key, text, tab, query });

const warning = (key, text, tab, query = '') =>
    ({ level: 'warning', key, text, tab, query });


const titles = { ntrip: 'NTRIP', cwmp: 'CWMP' };

function links(state, now) {
    return Object.entries(state.halves).flatMap(([name, half]) => {
        const again = half.again > now
                      ? `, asked again in ${format.duration(
                            Math.ceil(half.again - now))}` : '';

        switch (half.link) {
            case 'away':
            case 'failing':
            case 'refused':
            case 'bad':
                return [critical(`link:${name}`, `${titles[name]}: `
                                 + `${half.detail}${again}`, null)];
            default:
                return [];
        }
    }).concat(Object.entries(state.lists).flatMap(([name, list]) =>
        list.trouble ? [critical(`list:${name}`, `${name}: ${list.trouble}`,
                                 name)] : []));
}


function streams(state, now) {
    return state.lists.streams.items.flatMap((stream) => {
        const { mount, rovers, age, since } = stream;
        const who = format.count(rovers, 'rover');
        const old = now - since;

        if (stream.state === 'failed') {
            return [critical(`failed:${stream.id}`,
                             `${mount}: the connection to the provider has`
                             + ' failed', 'streams', `mount:${mount}`)];
        }

        if (rovers === 0) {
            return [];
        }

        if (stream.state === 'waiting' && old > limits.patience) {
            return [critical(`waiting:${stream.id}`,
                             `${mount}: no account is free, ${who} without`
                             + ' corrections', 'streams', `mount:${mount}`)];
        }

        if (stream.state === 'live' && age > limits.silent) {
            return [critical(`silent:${stream.id}`, `${mount}: silent for `
                             + `${format.duration(age)}, ${who} without`
                             + ' corrections', 'streams', `mount:${mount}`)];
        }

        if (stream.state === 'opening' && old > limits.silent) {
            return [critical(`opening:${stream.id}`, `${mount}: the provider`
                             + ` does not answer, ${who} without corrections`,
                             'streams', `mount:${mount}`)];
        }

        return [];
    });
}


// of a provider with several streams, one line

function certificates(state, now) {
    const ends = new Map();

    for (const { provider, certificate } of state.lists.streams.items) {
        if (provider && certificate) {
            ends.set(provider, certificate);
        }
    }

    return [...ends].flatMap(([provider, end]) =>
        end - now >= limits.certificate ? [] : [
            warning(`certificate:${provider}`, end > now
                    ? `The certificate of ${provider} ends in ${
                       format.duration(end - now)}`
                    : `The certificate of ${provider} has ended`, 'streams',
                    provider)]);
}


function accounts(state, now) {
    return state.lists.accounts.items.flatMap((account) => {
        const who = `${account.name} at ${account.host}`;

        if (account.state === 'refused') {
            return [{ ...critical(`refused:${account.id}`, `Account ${who} is`
                                  + ' refused by its provider', 'accounts',
                                  'state:refused'),
                      kind: 'refused', many: 'accounts are refused by their'
                      + ' providers' }];
        }

        if (account.state === 'expired') {
            return [{ ...warning(`expired:${account.id}`, `Account ${who} has`
                                 + ' expired', 'accounts', 'state:expired'),
                      kind: 'expired', many: 'accounts have expired' }];
        }

        const left = account.expires_at - now;

        if (account.expires_at > 0 && left < limits.ending) {
            return [{ ...warning(`ending:${account.id}`, `Account ${who}`
                                 + ` expires in ${format.duration(left)}`,
                                 'accounts', account.name),
                      kind: 'ending', many: 'accounts expire within a week' }];
        }

        return [];
    });
}


function pooled(state) {
    return pools(state.lists.accounts.items).flatMap((pool) => {
        const usable = pool.total - pool.expired;

        if (usable === 0 || pool.free / usable >= limits.free) {
            return [];
        }

        return [warning(`pool:${pool.name}`, `Pool ${pool.name} is nearly used`
                        + ` up: ${pool.free} of ${usable} accounts are free`,
                        'accounts')];
    });
}


function workers(state) {
    return state.lists.workers.items.flatMap((worker) =>
        worker.age > limits.worker && !worker.exiting
        ? [warning(`worker:${worker.id}`, `Worker ${worker.pid} has not been`
                   + ` seen to work for ${format.duration(worker.age)}`,
                   'workers')] : []);
}


// a base station that is known and does not upload: somebody's fallback

function stations(state) {
    const { items, read } = state.lists.streams;

    if (!read) {
        return [];
    }

    const live = new Set(items.filter((s) => s.state === 'live')
                              .map((s) => s.mount));

    return state.lists.stations.items.flatMap(({ mount }) =>
        live.has(mount) ? [] : [{
            ...warning(`station:${mount}`, `Station ${mount} does not upload`,
                       'stations', mount),
            kind: 'station', many: 'stations do not upload' }]);
}


// rests of accounts are never given back, so their table says nothing

function tables(state) {
    return Object.entries(state.halves).flatMap(([name, { counters: c }]) =>
        Object.entries(c?.tables ?? {}).flatMap(([table, { rows, used }]) =>
            table !== 'rests' && (name !== 'cwmp' || table === 'sessions')
            && rows > 0 && used / rows > limits.full
            ? [warning(`table:${name}:${table}`, `${name}_zone is nearly full:`
                       + ` ${format.number(used)} of ${format.number(rows)}`
                       + ` rows for ${table}`, name === 'ntrip' ? 'workers'
                                                                : null)]
            : []));
}


function counters(state) {
    const { ntrip, cwmp } = state.halves;
    const found = [];

    const lost = gained(ntrip.samples, 'unavailable', limits.window);

    if (lost > 0) {
        found.push(critical('database', 'The database is unavailable: '
                            + format.count(lost, 'login') + ' not looked up'
                            + ' in the last minutes', 'users'));
    }

    const { ok, failed } = wakeups(cwmp.samples, limits.window);

    if (ok + failed >= limits.wakeups && failed > ok) {
        found.push(warning('wakeups', `${failed} of ${ok + failed} wake-ups`
                           + ' failed in the last minutes', 'devices'));
    }

    const limited = gained(cwmp.samples, 'admissions.limited', limits.window);

    if (limited > 0) {
        found.push(warning('limited', 'cwmp_admission holds CPEs off: '
                           + format.count(limited, 'session') + ' in the last'
                           + ' minutes', 'devices'));
    }

    return found;
}


// Wake-ups of the last "seconds": as in the alarms, a busy CPE is a CPE that
// answers, and an ACS without credentials is no trouble of a CPE's

const fine = ['ok', 'udp', 'busy'];
const neither = ['method', 'credentials'];

export function wakeupNames(samples) {
    const last = samples[samples.length - 1];
    const all = Object.keys(last?.values ?? {})
                      .filter((name) => name.startsWith('wakeups.'));
    const result = (name) => name.slice('wakeups.'.length);

    return {
        ok: all.filter((name) => fine.includes(result(name))),
        failed: all.filter((name) => !fine.includes(result(name))
                                     && !neither.includes(result(name))),
    };
}


export function wakeups(samples, seconds) {
    const names = wakeupNames(samples);
    const sum = (list) => list.reduce(
        (n, name) => n + gained(samples, name, seconds), 0);

    return { ok: sum(names.ok), failed: sum(names.failed) };
}


// More than three of a kind are one line

function together(found) {
    const kinds = new Map();

    for (const one of found.filter((w) => w.kind)) {
        kinds.set(one.kind, [...kinds.get(one.kind) ?? [], one]);
    }

    return found.flatMap((one) => {
        const group = kinds.get(one.kind) ?? [];

        if (group.length <= 3) {
            return [one];
        }

        return one === group[0]
               ? [{ ...one, key: one.kind, query: one.query.startsWith('state:')
                                                  ? one.query : '',
                    text: `${format.number(group.length)} ${one.many}` }] : [];
    });
}
