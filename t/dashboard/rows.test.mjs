import test from 'node:test';
import assert from 'node:assert/strict';
import * as rows from '../../conf/dashboard/rows.js';
import { columns } from '../../conf/dashboard/columns.js';

const rovers = Array.from({ length: 10000 }, (unused, i) => ({
    id: i, user: `rover${i}`, mount: `M${i % 50}`, agent: 'NTRIP test',
    fix: ['fixed', 'float', 'single'][i % 3], age: i % 7 ? i % 11 : null,
    address: `10.0.${i >> 8}.${i & 255}`, since: 1000, bytes: i * 1000,
    skipped: 0, satellites: 12,
}));

const find = (text) => rows.search(rovers, text, columns.rovers)
                           .map((r) => r.user);
const by = (name) => columns.rovers.find((c) => c.name === name);


test('no words find everything, the very same list', () => {
    assert.equal(rows.search(rovers, '', columns.rovers), rovers);
    assert.equal(rows.search(rovers, '  ', columns.rovers), rovers);
});


test('every word has to be there, whatever its case', () => {
    assert.deepEqual(find('ROVER77 m27'), ['rover77', 'rover777', 'rover7727',
                                           'rover7777']);
    assert.equal(find('rover no-such').length, 0);
});


test('a word of one column', () => {
    assert.equal(find('mount:m7').length, 200);
    assert.ok(find('fix:float rover12').every((u) => u.startsWith('rover12')
              && Number(u.slice(5)) % 3 === 1));
    assert.equal(find('nothing:x').length, 0, 'no column, so it is text');
});


test('what the clock changes is not searched', () => {
    const late = rows.search([{ ...rovers[0], since: 7 }], '7', [by('since')]);
    assert.equal(late.length, 0);
});


test('numbers within names are numbers', () => {
    const sorted = rows.sort(rovers.slice(0, 12).reverse(), by('user'), false);
    assert.deepEqual(sorted.map((r) => r.id), [...Array(12).keys()]);
});


test('either way, what has no value comes last', () => {
    const up = rows.sort(rovers.slice(0, 22), by('age'), false)
                   .map((r) => r.age);
    const down = rows.sort(rovers.slice(0, 22), by('age'), true)
                     .map((r) => r.age);
    const there = up.filter((a) => a !== null);

    assert.deepEqual(up.slice(there.length), [null, null, null, null]);
    assert.deepEqual(down.slice(there.length), [null, null, null, null]);
    assert.deepEqual(there, [...there].sort((a, b) => a - b));
    assert.deepEqual(down.slice(0, there.length), [...there].reverse());
});


test('equal ones stay in their order', () => {
    const sorted = rows.sort(rovers.slice(0, 9), by('fix'), true);
    assert.deepEqual(sorted.map((r) => r.id), [2, 5, 8, 1, 4, 7, 0, 3, 6]);
});


test('the rows in view, at any place, stand for all', () => {
    for (const top of [0, 1, 5000, 33.5, 339000, 340000, 1e9, -50]) {
        const v = rows.visible(10000, 34, top, 400);

        assert.equal(v.before + v.after + (v.last - v.first) * 34, 340000);
        assert.ok(v.first >= 0 && v.last <= 10000 && v.last - v.first < 40);

        const at = Math.min(Math.max(0, top), 340000 - 400);
        assert.ok(v.first * 34 <= at && v.last * 34 >= at + 400, `at ${top}`);
    }

    assert.deepEqual(rows.visible(0, 34, 0, 400),
                     { first: 0, last: 0, before: 0, after: 0 });
    assert.equal(rows.visible(3, 34, 0, 400).last, 3);
});


test('keys', () => {
    assert.equal(rows.moved('ArrowDown', -1, 5, 3), 0);
    assert.equal(rows.moved('ArrowDown', 4, 5, 3), 4);
    assert.equal(rows.moved('ArrowUp', 0, 5, 3), 0);
    assert.equal(rows.moved('PageDown', 0, 5, 3), 3);
    assert.equal(rows.moved('End', 0, 5, 3), 4);
    assert.equal(rows.moved('Home', 3, 5, 3), 0);
    assert.equal(rows.moved('x', 3, 5, 3), null);
    assert.equal(rows.moved('ArrowDown', 0, 0, 3), null);
});


test('what is chosen is scrolled to', () => {
    assert.equal(rows.scrolled(5, 34, 0, 400), 0);
    assert.equal(rows.scrolled(0, 34, 100, 400), 0);
    assert.equal(rows.scrolled(20, 34, 0, 400), 21 * 34 - 400);
});
