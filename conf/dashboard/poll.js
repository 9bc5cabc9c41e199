// When what is asked: lists and counters of both halves, one request at a time
// for each half, slower where an answer takes long or nobody looks, and with
// growing pauses while nginx is away.  The clock and the timer are given;
// tested by t/dashboard/poll.test.mjs.

import { backoff, Trouble } from './client.js';
import { lists } from './state.js';

const counterSeconds = 2;
const absentSeconds = 60;
const hiddenSeconds = 30;
const loginSeconds = 5;
const promptSeconds = 60;                  // or people would do nothing else


// What of a half is due: names of its lists, and 'counters'.  "times" has when
// each was read last, in seconds; "shown" the list that somebody looks at.

export function due(half, times, absent, shown, now) {
    const found = [];

    const late = (name, every) =>
        !(name in times) || now - times[name] >= every - 0.1;

    if (late('counters', counterSeconds)) {
        found.push('counters');
    }

    for (const [name, list] of Object.entries(lists)) {
        if (list.half !== half || list.shown && shown !== name) {
            continue;
        }

        if (late(name, absent(name) ? absentSeconds : list.every)) {
            found.push(name);
        }
    }

    return found;
}


// Seconds until the next round: a round that took long is followed by a pause
// of three times its length, so that nginx has a browser's questions to answer
// for a quarter of the time at most

export const pause = (took, hidden) =>
    hidden ? hiddenSeconds : Math.min(60, Math.max(2, took * 3));


export class Poll {

    // client: of this half; dispatch(event): what has happened; state(): the
    // present one; shown(): the list looked at; hidden(): whether the page is;
    // q(list): what is searched in a list too long to be read as a whole

    constructor({ half, client, dispatch, state, shown, hidden, q,
                  clock = () => Date.now() / 1000,
                  timer = (f, seconds) => setTimeout(f, seconds * 1000),
                  cancel = (waiting) => clearTimeout(waiting) })
    {
        Object.assign(this, { half, client, dispatch, state, shown, hidden, q,
                              clock, timer, cancel });
        this.times = {};
        this.failures = 0;
        this.running = false;
        this.waiting = null;
        this.at = 0;
    }


    // Asks at once, and goes on: at the start, when a page is looked at again,
    // when somebody has logged in, when another table is shown.  Without
    // "urgently" a pause because of failures is kept.

    now(urgently = true) {
        if (this.running || this.failures > 0 && !urgently) {
            return;
        }

        if (this.waiting !== null) {
            this.cancel(this.waiting);
            this.waiting = null;
        }

        this.round();
    }


    // After a change: this list is out of date

    stale(name) {
        delete this.times[name];
        this.now(false);
    }


    async round() {
        this.running = true;
        const began = this.clock();
        let wait;

        try {
            const absent = (name) => this.state().lists[name].absent;

            for (const name of due(this.half, this.times, absent, this.shown(),
                                   began))
            {
                await this.read(name);
            }

            this.failures = 0;
            wait = pause(this.clock() - began, this.hidden());

        } catch (error) {
            if (!(error instanceof Trouble)) {
                console.error(error);
            }

            wait = this.failed(error instanceof Trouble ? error
                               : new Trouble('bad', 0, error.message));

        } finally {
            this.running = false;
        }

        this.waiting = this.timer(() => {
            this.waiting = null;
            this.round();
        }, wait);
    }


    async read(name) {
        try {
            if (name === 'counters') {
                const values = await this.client.get('counters');
                this.dispatch({ type: 'counters', half: this.half, values,
                                at: this.clock() });

            } else {
                await this.client.list(name, (items, last, more) => {
                    this.dispatch({ type: 'page', list: name, items, last,
                                    more, at: this.clock() });
                }, { q: this.q(name) });
            }

        } catch (error) {
            if (name === 'counters' || !(error instanceof Trouble)
                || !['absent', 'failing', 'refused'].includes(error.kind))
            {
                throw error;
            }

            // it is this list only, the others may do

            this.dispatch({ type: 'trouble', half: this.half, list: name,
                            kind: error.kind, detail: error.detail,
                            at: this.clock() });
        }

        this.times[name] = this.clock();
    }


    // the whole half is in trouble: how long to wait

    failed(error) {
        this.failures++;
        const wait = error.prompts ? promptSeconds
                     : error.kind === 'login' ? loginSeconds
                     : error.kind === 'absent' ? absentSeconds
                     : backoff(this.failures);

        this.dispatch({ type: 'trouble', half: this.half, kind: error.kind,
                        detail: error.detail, again: this.clock() + wait,
                        at: this.clock() });
        return wait;
    }
}
