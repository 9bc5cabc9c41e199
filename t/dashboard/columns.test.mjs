import test from 'node:test';
import assert from 'node:assert/strict';
import { columns, details, tabs } from '../../conf/dashboard/columns.js';
import { lists } from '../../conf/dashboard/state.js';
import { cell } from '../../conf/dashboard/rows.js';


test('each list has a table, and each table its list', () => {
    assert.deepEqual(Object.keys(columns).sort(), Object.keys(lists).sort());
    assert.deepEqual(tabs.map((t) => t.name).sort(),
                     Object.keys(lists).sort());

    for (const { name, sort } of tabs) {
        assert.ok(columns[name].some((c) => c.name === sort), name);
    }
});


test('a row of which nothing is known, or all of it is odd, has text', () => {
    const odd = { user: '', mount: null, fix: 7, age: 'x', pools: null,
                  position: {}, messages: null, counters: null, stream: null };

    for (const [name, list] of Object.entries(columns)) {
        for (const column of list) {
            for (const row of [{}, odd]) {
                assert.equal(typeof cell(column, row, 100), 'string',
                             `${name}.${column.name}`);
                column.tone?.(column.value(row), row);
            }
        }
    }
});


test('a phone has few columns, of each table', () => {
    for (const [name, list] of Object.entries(columns)) {
        const n = list.filter((c) => c.narrow).length;
        assert.ok(n >= 2 && n <= 4, name);
    }
});


test('details show any field, those too that nobody knows yet', () => {
    const found = details({ user: 'u', since: 90, future: { a: 1 }, bytes: 5,
                            messages: [{ type: 1 }], expires_at: 0 }, 100);
    const text = Object.fromEntries(found.map((d) => [d.name, d.text]));

    assert.equal(text.user, 'u');
    assert.match(text.since, /\(10\u202fs ago\)$/);
    assert.equal(text.future, 'a 1');
    assert.equal(text.expires_at, 'never');
    assert.ok(!('messages' in text), 'they are a table of their own');
});
