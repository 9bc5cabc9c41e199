// The parts of the page that only show: numbers at the top, warnings, pools,
// charts.

import { html } from './view.js';
import { Chart } from './charts.js';
import * as format from './format.js';
import { accountStates, fixes, fixNames, pools } from './state.js';
import { levels, rates } from './rates.js';
import { wakeupNames } from './warnings.js';


export function Numbers({ state }) {
    const { rovers, streams, accounts, devices } = state.lists;
    const { ntrip, cwmp } = state.halves;
    const fix = fixes(rovers.items);
    const live = streams.items.filter((s) => s.state === 'live').length;
    const free = accounts.items.filter((a) => a.state === 'free').length;
    const sessions = cwmp.counters?.tables?.sessions?.used;

    return html`
        <dl class="numbers">
            ${rovers.read && one('Rovers', format.number(rovers.items.length))}
            ${rovers.read && one('Fixed', format.percent(fix.fixed,
                                                  rovers.items.length))}
            ${streams.read && one('Streams live', `${format.number(live)}/${
                                  format.number(streams.items.length)}`)}
            ${accounts.read && one('Accounts free', `${format.number(free)}/${
                                   format.number(accounts.items.length)}`)}
            ${ntrip.counters && one('Workers', format.number(
                                    ntrip.counters.workers))}
            ${devices.read && one('CPEs', format.number(devices.items.length)
                                          + (devices.more ? '+' : ''))}
            ${cwmp.counters && one('CPE sessions', format.number(sessions))}
        </dl>`;
}

const one = (title, value) => html`
    <div><dt>${title}</dt><dd>${value}</dd></div>`;


// Each one is a button that shows where to look

export function Warnings({ found, onShow }) {
    if (found.length === 0) {
        return null;
    }

    return html`
        <ul class="warnings" aria-label="Warnings" aria-live="polite">
            ${found.map((w) => html`
                <li key=${w.key} class=${w.level}>
                    <button disabled=${!w.tab} onClick=${() => onShow(w)}>
                        ${w.text}</button>
                </li>`)}
        </ul>`;
}


// The login has expired: where to log in again, while the page stays

export function Expired({ states, login, onAgain }) {
    if (!states.some((half) => half.link === 'login')) {
        return null;
    }

    return html`
        <div class="expired" role="alert">
            <span>Your login has expired.</span>
            <a href=${login || './'} target="_blank" rel="noopener">Log in</a>
            <button onClick=${onAgain}>Try again</button>
            <span class="faint">What is shown is from before.</span>
        </div>`;
}


export function Pools({ accounts }) {
    if (!accounts.read || accounts.items.length === 0) {
        return null;
    }

    return html`
        <section class="panel pools" aria-label="Pools">
            <h2>Pools</h2>
            ${pools(accounts.items).map((pool) => html`
                <div key=${pool.name} class="pool">
                    <span class="name">${pool.name}</span>
                    <span class="bar" aria-hidden="true">
                        ${accountStates.filter((s) => pool[s]).map((s) => html`
                            <i class=${s} style=${{ flexGrow: pool[s] }}></i>`)}
                    </span>
                    <span class="what">
                        ${accountStates.filter((s) => pool[s])
                                       .map((s) => `${pool[s]} ${s}`)
                                       .join(', ')}</span>
                </div>`)}
        </section>`;
}


const fixSeries = fixNames.map((name) => ({ label: name, colour: name }));

const traffic = ['bytes_out', 'bytes_in'];
const logins = ['logins', 'refused', 'closed'];

// what was made of samples is made again only with new ones, which the chart
// sees by its data being another object

const made = new WeakMap();

function once(samples, name, make) {
    const of = made.get(samples) ?? {};
    made.set(samples, of);
    return of[name] ??= make();
}


const show = (v) => format.short(v);


export function FixChart({ fixes: samples }) {
    return samples.length === 0 ? null : html`
        <${Chart} title="Rovers" series=${fixSeries} show=${show} least=${4}
            data=${once(samples, 'fix', () => levels(samples, fixNames))} />`;
}


export function TrafficChart({ ntrip: { counters, samples } }) {
    return !counters ? null : html`
        <${Chart} title="Corrections" show=${(v) => format.bytes(v)}
            least=${1000}
            series=${[{ label: 'to rovers, a second', colour: 'accent' },
                      { label: 'from providers', colour: 'second' }]}
            data=${once(samples, 'traffic', () => rates(samples, traffic))} />`;
}


export function Charts({ state }) {
    const { ntrip, cwmp } = state.halves;

    return html`
        ${ntrip.counters && html`
            <${Chart} title="Logins" show=${show} least=${0.5}
                series=${[{ label: 'accepted, a second', colour: 'fixed' },
                          { label: 'refused', colour: 'single' },
                          { label: 'ended', colour: 'other' }]}
                data=${once(ntrip.samples, 'logins',
                            () => rates(ntrip.samples, logins))} />`}
        ${cwmp.counters && html`
            <${Chart} title="CPE messages" show=${show} least=${1}
                series=${[{ label: 'a second', colour: 'accent' },
                          { label: 'Informs', colour: 'second' }]}
                data=${once(cwmp.samples, 'messages',
                            () => cwmpMessages(cwmp.samples))} />
            <${Chart} title="Wake-ups" show=${show} least=${0.5}
                series=${[{ label: 'answered, a second', colour: 'fixed' },
                          { label: 'failed', colour: 'single' }]}
                data=${once(cwmp.samples, 'wakeups',
                            () => cwmpWakeups(cwmp.samples))} />`}`;
}


// the sum of the rates of several counters

function summed(samples, names) {
    const [times, ...lists] = rates(samples, names);
    return [times, times.map((t, i) => lists.reduce(
        (sum, list) => list[i] === null ? sum : (sum ?? 0) + list[i], null))];
}


function cwmpMessages(samples) {
    const names = Object.keys(samples.at(-1)?.values ?? {})
                        .filter((name) => name.startsWith('messages.'));
    const [times, all] = summed(samples, names);

    return [times, all, rates(samples, ['messages.Inform'])[1]];
}


function cwmpWakeups(samples) {
    const { ok, failed } = wakeupNames(samples);
    const [times, good] = summed(samples, ok);

    return [times, good, summed(samples, failed)[1]];
}


// How wake-ups have ended since nginx was started

export function Wakeups({ cwmp }) {
    const results = Object.entries(cwmp.counters?.wakeups ?? {})
                          .filter(([, n]) => n > 0)
                          .sort((a, b) => b[1] - a[1]);

    if (!cwmp.counters) {
        return null;
    }

    return html`
        <section class="panel" aria-label="Wake-ups">
            <h2>Wake-ups</h2>
            ${results.length === 0 && html`<p class="faint">None yet.</p>`}
            <dl class="results">${results.map(([name, n]) => html`
                <div key=${name}><dt>${name}</dt>
                     <dd>${format.number(n)}</dd></div>`)}</dl>
        </section>`;
}
