// The page: reads config.json, asks both halves, shows what there is.

import './trusted.js';
import { Component, html, render } from './view.js';
import { Client } from './client.js';
import { Poll } from './poll.js';
import { begin, halves, lists, next, stationPosition } from './state.js';
import { columns, tabs } from './columns.js';
import { warnings, worst } from './warnings.js';
import { Table } from './table.js';
import { FieldMap } from './map.js';
import { Details } from './dialog.js';
import { Charts, Expired, FixChart, Numbers, Pools, TrafficChart, Wakeups,
         Warnings } from './panels.js';

const narrow = matchMedia('(max-width: 720px)');


class App extends Component {

    constructor(props) {
        super(props);
        this.known = begin();
        this.state = { known: this.known, now: Date.now() / 1000,
                       tab: 'rovers', queries: {}, open: null, look: null,
                       narrow: narrow.matches };
        this.polls = {};
        this.onKey = this.onKey.bind(this);
        this.onOpen = this.onOpen.bind(this);
    }


    componentDidMount() {
        for (const half of halves) {
            this.start(half);
        }

        this.ticking = setInterval(() => {
            if (!document.hidden) {
                this.setState({ now: Date.now() / 1000 });
            }
        }, 1000);

        document.addEventListener('visibilitychange', () => this.again());
        addEventListener('focus', () => this.again());
        addEventListener('online', () => this.again());
        addEventListener('keydown', this.onKey);
        narrow.addEventListener('change', () =>
            this.setState({ narrow: narrow.matches }));
    }


    start(half) {
        const base = this.props.config[half];

        if (!base) {
            this.dispatch({ type: 'off', half });
            return;
        }

        const client = new Client({ base, page: location.href,
                                    fetch: fetch.bind(window) });

        this.polls[half] = new Poll({
            half, client, dispatch: (event) => this.dispatch(event),
            state: () => this.known, shown: () => this.state.tab,
            hidden: () => document.hidden,
            q: (list) => this.known.lists[list].more || this.searching === list
                         ? this.state.queries[list] ?? '' : '',
        });
        this.polls[half].now();
    }


    // Events come faster than there is anything to see: one drawing for all of
    // them

    dispatch(event) {
        this.known = next(this.known, event);

        if (!this.drawing) {
            this.drawing = true;
            setTimeout(() => {
                this.drawing = false;
                this.setState({ known: this.known, now: Date.now() / 1000 });
            }, 50);
        }
    }


    again() {
        if (!document.hidden) {
            Object.values(this.polls).forEach((poll) => poll.now());
        }
    }


    onKey(event) {
        const typing = event.target.closest?.('input, dialog');

        if (event.ctrlKey || event.altKey || event.metaKey || typing) {
            return;
        }

        if (event.key === '/') {
            event.preventDefault();
            document.getElementById('search')?.focus();
        }

        const tab = this.tabs()[Number(event.key) - 1];

        if (tab) {
            this.show(tab.name);
        }
    }


    // the lists that there are: one that nginx does not have has no tab

    tabs() {
        const { known } = this.state;

        return tabs.filter(({ name }) => {
            const half = known.halves[lists[name].half];
            return !known.lists[name].absent && half.link !== 'off'
                   && half.link !== 'absent' && half.answered > 0;
        });
    }


    show(tab, query) {
        const { queries } = this.state;

        this.setState({ tab, queries: query === undefined ? queries
                                      : { ...queries, [tab]: query } },
                      () => this.polls[lists[tab].half]?.now(false));
    }


    search(text) {
        const { tab, queries } = this.state;

        this.setState({ queries: { ...queries, [tab]: text } });

        // a list that is read in part: nginx searches, once the words are there

        if (this.known.lists[tab].more || this.searching === tab) {
            this.searching = text ? tab : null;
            clearTimeout(this.typed);
            this.typed = setTimeout(
                () => this.polls[lists[tab].half]?.stale(tab), 400);
        }
    }


    onOpen(list, key) {
        this.setState({ open: { list, key, item: this.find(list, key) } });
    }


    find(list, key) {
        return this.items(list).find((item) => item[lists[list].key] === key);
    }


    async kick(rover) {
        await this.polls.ntrip.client.change('POST', `rovers/${rover.id}/kick`);
        this.polls.ntrip.stale('rovers');
    }


    // Logs in once at the provider, as SOURCE-TEST does: what that answers

    async test(account) {
        const { ntrip } = this.polls;
        const { result } = await ntrip.client.change(
            'POST', `accounts/${account.id}/test`);

        ntrip.stale('accounts');
        return result;
    }


    // What a list shows: stations together with their streams

    items(list) {
        const { known } = this.state;

        return list === 'stations' ? this.stations() : known.lists[list].items;
    }


    stations() {
        const { stations, streams } = this.state.known.lists;

        if (this.joined?.stations !== stations.items
            || this.joined.streams !== streams.items)
        {
            const uploads = streams.items.filter((s) => !s.provider);

            this.joined = {
                stations: stations.items, streams: streams.items,
                version: (this.joined?.version ?? 0) + 1,
                items: stations.items.map((station) => ({
                    ...station,
                    stream: uploads.find((s) => s.mount === station.mount),
                    position: stationPosition(station, uploads),
                })),
            };
        }

        return this.joined.items;
    }


    componentDidUpdate() {
        const found = this.found;
        const icon = `icons/${worst(found)}.svg`;
        const link = document.querySelector('link[rel=icon]');

        if (link.getAttribute('href') !== icon) {
            link.setAttribute('href', icon);
        }

        document.title = found.length ? `(${found.length}) Fieldgate`
                                      : 'Fieldgate';
    }


    render() {
        const { known, now } = this.state;
        const found = this.found = warnings(known, now);
        const present = this.tabs();
        const { ntrip, cwmp } = known.halves;
        const { config } = this.props;

        return html`
            <header>
                <h1>Fieldgate</h1>
                <${Link} halves=${known.halves} />
                <${Numbers} state=${known} />
            </header>
            <${Expired} states=${[ntrip, cwmp]} login=${config.login}
                        onAgain=${() => this.again()} />
            <${Warnings} found=${found}
                         onShow=${(w) => this.show(w.tab, w.query)} />
            <main>
                ${ntrip.answered > 0 && html`
                    <div class="overview">
                        ${this.map()}
                        <div class="side">
                            <${FixChart} fixes=${known.fixes} />
                            <${TrafficChart} ntrip=${ntrip} />
                            <${Pools} accounts=${known.lists.accounts} />
                        </div>
                    </div>`}
                <div class="panels">
                    <${Charts} state=${known} />
                    <${Wakeups} cwmp=${cwmp} />
                </div>
                ${present.length > 0 && this.tables(present)}
            </main>
            ${this.details()}`;
    }


    map() {
        const { known, look } = this.state;
        const { config } = this.props;

        return html`
            <${FieldMap} rovers=${known.lists.rovers.items}
                         streams=${known.lists.streams.items}
                         stations=${this.stations()} look=${look}
                         share=${config.share_distance_km ?? 30}
                         tiles=${config.tiles} attribution=${config.attribution}
                         onOpen=${this.onOpen} />`;
    }


    tables(present) {
        const { known, now, queries, narrow: phone } = this.state;
        const tab = present.find((t) => t.name === this.state.tab)
                    ?? present[0];
        const list = known.lists[tab.name];
        const turn = (event) => {
            const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];

            if (by) {
                const to = present[(present.indexOf(tab) + by + present.length)
                                   % present.length];
                this.show(to.name);
                document.getElementById(`tab-${to.name}`).focus();
            }
        };

        return html`
            <section class="tables">
                <div class="tabs" role="tablist" onKeyDown=${turn}>
                    ${present.map((t, i) => html`
                        <button role="tab" id=${`tab-${t.name}`} key=${t.name}
                                aria-selected=${t === tab ? 'true' : 'false'}
                                tabindex=${t === tab ? 0 : -1}
                                title=${`Key ${i + 1}`}
                                onClick=${() => this.show(t.name)}>
                            ${t.title}</button>`)}
                </div>
                <div role="tabpanel" aria-labelledby=${`tab-${tab.name}`}>
                    <${Table} key=${tab.name} name=${tab.name} now=${now}
                        id=${lists[tab.name].key} columns=${columns[tab.name]}
                        items=${this.items(tab.name)} narrow=${phone}
                        version=${tab.name === 'stations'
                                  ? this.joined.version : list.version}
                        query=${queries[tab.name] ?? ''} sort=${tab.sort}
                        more=${list.more} read=${list.read}
                        onQuery=${(text) => this.search(text)}
                        onOpen=${(row) =>
                            this.onOpen(tab.name, row[lists[tab.name].key])} />
                </div>
            </section>`;
    }


    details() {
        const { open, now } = this.state;

        if (!open) {
            return null;
        }

        const { list, key } = open;
        const item = this.find(list, key);
        const shown = item ?? open.item;

        if (!shown) {
            return null;
        }

        const singular = { rovers: 'Rover', streams: 'Stream',
                           accounts: 'Account', users: 'User',
                           stations: 'Station', workers: 'Worker',
                           devices: 'CPE', sessions: 'Session' }[list];
        const name = shown.user ?? shown.name ?? shown.mount ?? shown.device
                     ?? shown.pid ?? shown.id;
        const { stream, ...known } = shown;
        const close = () => this.setState({ open: null });
        const position = shown.position ?? shown.reference;

        return html`
            <${Details} key=${`${list} ${key}`} title=${`${singular} ${name}`}
                        item=${list === 'stations' ? known : shown} list=${list}
                        now=${now} gone=${!item} onClose=${close}
                        kick=${list === 'rovers'
                               ? (rover) => this.kick(rover) : null}
                        test=${list === 'accounts'
                               ? (account) => this.test(account) : null}
                        onLook=${position ? () => this.setState({
                            open: null, look: { position } }) : null} />`;
    }
}


// Whether what is shown is of now

function Link({ halves: known }) {
    const links = Object.values(known).map((half) => half.link)
                        .filter((link) => link !== 'off' && link !== 'absent');
    const word = links.includes('login') ? 'logged out'
                 : links.includes('asking') ? 'asking\u2026'
                 : links.every((link) => link === 'there') && links.length
                   ? 'live' : 'nginx is away';

    return html`
        <span class=${'link ' + word.split(' ')[0]} role="status">
            ${word}
        </span>`;
}


async function configuration() {
    const reply = await fetch('config.json', { cache: 'no-cache' });

    if (!reply.ok) {
        throw new Error(`config.json: nginx answers ${reply.status}`);
    }

    return reply.json();
}


const place = document.getElementById('page');

configuration().then((config) => {
    place.replaceChildren();
    render(html`<${App} config=${config} />`, place);
}, (error) => {
    place.textContent = `The dashboard cannot begin: ${error.message}`;
});
