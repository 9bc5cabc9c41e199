// What is known of both modules, as one value: events in, the next state out.
// Pure; tested by t/dashboard/state.test.mjs.

import * as rates from './rates.js';

// The lists that are read.  half: whose status; key: what tells items apart;
// every: seconds between two readings; shown: read only while somebody looks

export const lists = {
    rovers: { half: 'ntrip', key: 'id', every: 2 },
    streams: { half: 'ntrip', key: 'id', every: 2 },
    accounts: { half: 'ntrip', key: 'id', every: 6 },
    workers: { half: 'ntrip', key: 'id', every: 6 },
    stations: { half: 'ntrip', key: 'mount', every: 20 },
    users: { half: 'ntrip', key: 'name', every: 20, shown: true },
    devices: { half: 'cwmp', key: 'id', every: 5 },
    sessions: { half: 'cwmp', key: 'id', every: 5 },
};


export const halves = ['ntrip', 'cwmp'];


const list = { items: [], byKey: new Map(), incoming: null, read: false,
               more: false, absent: false, trouble: null, version: 0 };

const half = { link: 'asking', failures: 0, again: 0, detail: '',
               answered: 0, counters: null, samples: [] };


export function begin() {
    const state = { halves: {}, lists: {}, fixes: [] };

    for (const name of halves) {
        state.halves[name] = half;
    }

    for (const name of Object.keys(lists)) {
        state.lists[name] = list;
    }

    return state;
}


// Events:
//
//   { type: 'page', list, items, last, more, at }     a page of a list
//   { type: 'counters', half, values, at }
//   { type: 'trouble', half, list, kind, detail, again, at }   of a request;
//                                     list: it was for this one alone
//   { type: 'off', half }             the operator has named no status of it

export function next(state, event) {
    switch (event.type) {
        case 'page':      return page(state, event);
        case 'counters':  return counters(state, event);
        case 'trouble':   return trouble(state, event);
        case 'off':       return inHalf(state, event.half, { link: 'off' });
        default:          throw new Error(`no event: ${event.type}`);
    }
}


const inHalf = (state, name, more) => ({
    ...state,
    halves: { ...state.halves, [name]: { ...state.halves[name], ...more } },
});

const inList = (state, name, more) => ({
    ...state,
    lists: { ...state.lists, [name]: { ...state.lists[name], ...more } },
});

const answered = (state, name, at) => inHalf(state, name, {
    link: 'there', failures: 0, again: 0, detail: '', answered: at,
});


// Pages of one reading gather aside, and take the place of the former ones with
// the last, so that nothing flickers; only the first reading is shown as it
// comes.  An item that was on two pages, since others came or went, is there
// once.

function page(state, { list: name, items, last, more, at }) {
    const old = state.lists[name];
    const { key, half: of } = lists[name];
    const incoming = [...old.incoming ?? [], items];
    const now = answered(state, of, at);

    if (!last && old.read) {
        return inList(now, name, { incoming });
    }

    const byKey = new Map();

    for (const item of incoming.flat()) {
        byKey.set(item[key], same(old.byKey.get(item[key]), item));
    }

    const then = inList(now, name, {
        items: [...byKey.values()], byKey,
        incoming: last ? null : incoming, read: old.read || last,
        more: last && more, absent: false, trouble: null,
        version: old.version + 1,
    });

    return name === 'rovers' && last ? sampled(then, at) : then;
}


// The former object, if the new one says nothing else: then nothing that was
// made of it has to be made anew

function same(old, item) {
    if (!old) {
        return item;
    }

    for (const name in item) {
        const [a, b] = [old[name], item[name]];

        if (a !== b && (typeof b !== 'object'
                        || JSON.stringify(a) !== JSON.stringify(b)))
        {
            return item;
        }
    }

    return Object.keys(old).length === Object.keys(item).length ? old : item;
}


// How many rovers have which fix, over time

function sampled(state, at) {
    return { ...state, fixes: rates.add(state.fixes, at,
                                        fixes(state.lists.rovers.items)) };
}


export const fixNames = ['fixed', 'float', 'single', 'other'];

export const fixOf = (rover) => fixNames.includes(rover.fix) ? rover.fix
                                                             : 'other';


export function fixes(rovers) {
    const count = { fixed: 0, float: 0, single: 0, other: 0 };

    for (const rover of rovers) {
        count[fixOf(rover)]++;
    }

    return count;
}


function counters(state, { half: name, values, at }) {
    const { samples } = state.halves[name];

    return inHalf(answered(state, name, at), name, {
        counters: values, samples: rates.add(samples, at, rates.flat(values)),
    });
}


// A list that there is not is none of the half's troubles; the half answers

function trouble(state, { half: name, list: of, kind, detail, again, at }) {
    if (of && kind === 'absent') {
        return inList(answered(state, name, at), of, {
            items: [], byKey: new Map(), incoming: null, absent: true,
            trouble: null, version: state.lists[of].version + 1,
        });
    }

    if (of && (kind === 'failing' || kind === 'refused')) {
        return inList(answered(state, name, at), of,
                      { incoming: null, trouble: detail });
    }

    const then = of ? inList(state, of, { incoming: null }) : state;

    return inHalf(then, name, {
        link: kind, detail, again, failures: state.halves[name].failures + 1,
    });
}


// Pools, with how many of their accounts are in which state.  An account can be
// in several.

export const accountStates = ['free', 'used', 'resting', 'refused', 'expired'];

export function pools(accounts) {
    const found = new Map();

    for (const account of accounts) {
        for (const name of account.pools ?? [account.pool ?? 'default']) {
            const pool = found.get(name) ?? { name, total: 0, free: 0, used: 0,
                                              resting: 0, refused: 0,
                                              expired: 0 };
            pool.total++;
            pool[account.state]++;
            found.set(name, pool);
        }
    }

    return [...found.values()].sort((a, b) => a.name < b.name ? -1 : 1);
}


// Where a station is: where its stream says, else where its line of the
// sourcetable does ("STR;mount;place;format;details;carrier;system;network;
// country;latitude;longitude;...", or all of it from the place on), else null

export function stationPosition(station, streams) {
    const stream = streams.find((s) => s.mount === station.mount
                                       && !s.provider && s.reference);

    if (stream) {
        return stream.reference;
    }

    const fields = (station.str ?? '').split(';');
    const at = fields[0] === 'STR' ? 9 : 7;
    const latitude = parseFloat(fields[at]);
    const longitude = parseFloat(fields[at + 1]);

    return Math.abs(latitude) <= 90 && Math.abs(longitude) <= 360
           && (latitude !== 0 || longitude !== 0)
           ? { latitude, longitude } : null;
}
