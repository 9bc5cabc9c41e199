// The tables: which columns each list has, how they are shown, which of them a
// phone has room for.  Pure; tested by t/dashboard/columns.test.mjs.
//
// A column is { name, title, value(row), text(value, row, now), right, narrow,
// clock, tone(value, row), width }: right: a number; narrow: also on a phone;
// clock: changes with the time alone; tone: 'good', 'warn', 'bad' or ''; width:
// its share of the table.

import * as format from './format.js';

const field = (name, title, more = {}) => ({
    name, title, value: (row) => row[name],
    text: (value) => format.plain(value), width: 2, ...more,
});

const number = (name, title, more = {}) =>
    field(name, title, { text: (v) => format.number(v), right: true, width: 1.2,
                         ...more });

const size = (name, title, more = {}) =>
    field(name, title, { text: (v) => format.bytes(v), right: true, width: 1.5,
                         ...more });

const duration = (name, title, more = {}) =>
    field(name, title, { text: (v) => format.duration(v), right: true,
                         width: 1.2, ...more });

const since = (name, title, more = {}) =>
    field(name, title, { text: (v, row, now) => format.since(v, now),
                         clock: true, right: true, width: 1.5, ...more });

const expiry = (name, title, more = {}) =>
    field(name, title, { text: (v, row, now) => format.expiry(v, now),
                         value: (row) => row[name] || null,
                         clock: true, right: true, width: 1.5, ...more });


const fixTones = { fixed: 'good', float: 'warn', none: 'bad' };
const streamTones = { live: 'good', waiting: 'bad', failed: 'bad',
                      opening: 'warn', orphan: 'warn' };
const accountTones = { free: 'good', resting: 'warn', refused: 'bad',
                       expired: 'bad' };
const wakeupTones = { ok: 'good', udp: 'good', busy: 'good', '': '' };

export const columns = {
    rovers: [
        field('user', 'User', { narrow: true, width: 2.2 }),
        field('mount', 'Mountpoint', { narrow: true }),
        field('fix', 'Fix', { narrow: true, width: 1.3,
                              tone: (v) => fixTones[v] ?? '' }),
        number('satellites', 'Sats', { width: 0.9 }),
        duration('age', 'Age', { tone: (v) => v > 10 ? 'warn' : '' }),
        since('since', 'Since', { narrow: true }),
        size('bytes', 'Received'),
        number('skipped', 'Skipped', { tone: (v) => v > 0 ? 'warn' : '' }),
        field('address', 'Address', { width: 2.2 }),
        field('agent', 'Program', { width: 3 }),
    ],

    streams: [
        field('mount', 'Mountpoint', { narrow: true }),
        field('state', 'State', { narrow: true, width: 1.3,
                                  tone: (v) => streamTones[v] ?? '' }),
        number('rovers', 'Rovers', { narrow: true }),
        number('fixed', 'Fixed'),
        duration('age', 'Age', { narrow: true,
                                 tone: (v) => v > 30 ? 'bad' : '' }),
        duration('jitter', 'Jitter'),
        field('rate', 'Messages', {
            value: (s) => (s.messages ?? []).reduce((n, m) => n + m.rate, 0),
            text: (v) => format.rate(v), right: true, width: 1.4 }),
        field('account', 'Account', {
            value: (s) => s.provider ? s.account : null, width: 2 }),
        field('provider', 'Provider', {
            value: (s) => s.provider ?? 'base station', width: 3 }),
        number('reconnects', 'Relogins', { width: 1.3 }),
        since('since', 'Since'),
        size('bytes', 'Received'),
    ],

    accounts: [
        field('name', 'Account', { narrow: true }),
        field('state', 'State', { narrow: true, width: 1.3,
                                  tone: (v) => accountTones[v] ?? '' }),
        field('pools', 'Pools', { narrow: true,
                                  value: (a) => format.plain(a.pools) }),
        field('host', 'Host', { width: 3 }),
        number('port', 'Port', { text: (v) => String(v ?? ''), width: 1 }),
        number('failures', 'Failures', { tone: (v) => v > 0 ? 'warn' : '' }),
        duration('rest', 'Rests', {
            text: (v) => v > 0 ? format.duration(v) : format.none }),
        expiry('expires_at', 'Expires'),
        field('note', 'Note', { width: 3 }),
    ],

    users: [
        field('name', 'User', { narrow: true }),
        number('sessions', 'Sessions', { narrow: true,
                                         tone: (v) => v > 0 ? 'good' : '' }),
        number('max_sessions', 'At most', { width: 1.1 }),
        field('mounts', 'Mountpoints'),
        expiry('expires_at', 'Expires', { narrow: true }),
        field('area', 'Area', { width: 2.4 }),
        field('note', 'Note', { width: 3 }),
    ],

    stations: [
        field('mount', 'Mountpoint', { narrow: true }),
        field('state', 'State', {
            narrow: true, width: 1.3, value: (s) => s.stream?.state ?? 'away',
            text: (v) => v,
            tone: (v) => v === 'live' ? 'good' : 'bad' }),
        number('rovers', 'Rovers', { narrow: true,
                                     value: (s) => s.stream?.rovers ?? null }),
        duration('age', 'Age', { value: (s) => s.stream?.age ?? null }),
        field('name', 'Name'),
        field('place', 'Position', {
            value: (s) => format.position(s.position), width: 3 }),
        size('bytes', 'Received', { value: (s) => s.stream?.bytes ?? null }),
    ],

    devices: [
        field('id', 'Device', { narrow: true, width: 4 }),
        field('origin', 'Origin', { width: 3 }),
        field('events', 'Events', { width: 2.4 }),
        since('informed', 'Inform', { narrow: true }),
        since('woken', 'Wake-up'),
        field('result', 'Result', {
            narrow: true, width: 1.6,
            text: (v) => v || format.none,
            tone: (v) => v ? wakeupTones[v] ?? 'bad' : '' }),
    ],

    sessions: [
        field('device', 'Device', { narrow: true, width: 4 }),
        field('events', 'Events', { narrow: true, width: 2.4 }),
        field('upstream', 'Upstream'),
        field('server', 'ACS', { width: 3 }),
        number('owner', 'Process', { text: (v) => String(v ?? '') }),
    ],

    workers: [
        number('pid', 'Process', { narrow: true,
                                   text: (v) => String(v ?? '') }),
        number('generation', 'Generation', { narrow: true }),
        field('exiting', 'Exiting', { narrow: true, width: 1.2,
                                      tone: (v) => v ? 'warn' : '' }),
        duration('age', 'Seen', { tone: (v) => v > 10 ? 'bad' : '' }),
        number('logins', 'Logins', { value: (w) => w.counters?.logins }),
        number('messages', 'Messages out', {
            value: (w) => w.counters?.messages_out, width: 1.6 }),
        size('bytes', 'Bytes out', { value: (w) => w.counters?.bytes_out }),
        number('skipped', 'Skipped', { value: (w) => w.counters?.skipped }),
    ],
};


export const tabs = [
    { name: 'rovers', title: 'Rovers', sort: 'user' },
    { name: 'streams', title: 'Streams', sort: 'mount' },
    { name: 'accounts', title: 'Accounts', sort: 'name' },
    { name: 'users', title: 'Users', sort: 'name' },
    { name: 'stations', title: 'Stations', sort: 'mount' },
    { name: 'workers', title: 'Workers', sort: 'pid' },
    { name: 'devices', title: 'CPEs', sort: 'id' },
    { name: 'sessions', title: 'CPE sessions', sort: 'device' },
];


// What the columns lack is shown in the details: any field that an item has, in
// its order, whatever the module's version sends

export function details(row, now) {
    return Object.entries(row).filter(([name]) => name !== 'messages'
                                       || !Array.isArray(row.messages))
                 .map(([name, value]) => ({ name, text: detail(name, value,
                                                                now) }));
}


const times = new Set(['since', 'expires_at', 'valid_from', 'expires',
                       'informed', 'woken', 'certificate']);

function detail(name, value, now) {
    if (times.has(name) && typeof value === 'number') {
        return value > 0 ? `${format.time(value)} (${value > now
                           ? format.expiry(value, now)
                           : format.since(value, now) + ' ago'})`
                         : name === 'expires_at' ? 'never' : format.none;
    }

    if (name === 'bytes') {
        return format.bytes(value);
    }

    if (name === 'age' || name === 'rest' || name === 'jitter'
        || name === 'interval')
    {
        return format.duration(value);
    }

    return format.plain(value);
}
