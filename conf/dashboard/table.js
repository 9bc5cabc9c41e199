// A table of many rows: only those in view are made, so that 10,000 cost what
// 30 cost.  Sorted by a click on a column, searched by words; with the arrow
// keys, a row is chosen, and opened with Enter.

import { Component, html } from './view.js';
import * as rows from './rows.js';
import * as format from './format.js';

const rowHeight = 34;


export class Table extends Component {

    // props: name, columns, items, version (of the items), query, sort, now,
    // narrow, onOpen(row), onQuery(text), key field "id", more, read

    constructor(props) {
        super(props);
        this.state = { sort: props.sort, down: false, top: 0, room: 400,
                       chosen: null };
        this.made = {};
        this.onScroll = () => this.setState({ top: this.scroll.scrollTop });
        this.onKey = this.onKey.bind(this);
    }


    componentDidMount() {
        this.observer = new ResizeObserver(() => this.setState({
            room: this.scroll.clientHeight - rowHeight }));
        this.observer.observe(this.scroll);
    }


    componentWillUnmount() {
        this.observer.disconnect();
    }


    // searched and sorted anew only if something of it has changed

    rows() {
        const { items, version, query, columns } = this.props;
        const { sort, down } = this.state;
        const key = [version, query, sort, down].join('\n');

        if (this.made.key !== key || this.made.columns !== columns) {
            const column = columns.find((c) => c.name === sort) ?? columns[0];
            const found = rows.search(items, query, columns);
            this.made = { key, columns, rows: rows.sort(found, column, down) };
        }

        return this.made.rows;
    }


    sortBy(name) {
        const { sort, down } = this.state;
        this.setState({ sort: name, down: sort === name && !down });
        this.scroll.scrollTop = 0;
    }


    onKey(event) {
        const found = this.rows();
        const { chosen, room } = this.state;
        const { id, onOpen } = this.props;
        const at = found.findIndex((row) => row[id] === chosen);

        if (event.target !== this.scroll) {
            return;
        }

        if ((event.key === 'Enter' || event.key === ' ') && at >= 0) {
            event.preventDefault();
            onOpen(found[at]);
            return;
        }

        const page = Math.max(1, Math.floor(room / rowHeight) - 1);
        const to = rows.moved(event.key, at, found.length, page);

        if (to !== null) {
            event.preventDefault();
            this.setState({ chosen: found[to][id] });
            this.scroll.scrollTop = rows.scrolled(to, rowHeight,
                                                  this.scroll.scrollTop, room);
        }
    }


    open(row) {
        this.setState({ chosen: row[this.props.id] });
        this.props.onOpen(row);
    }


    render() {
        const { name, items, narrow, query, onQuery, more, read } = this.props;
        const { top, room, chosen } = this.state;
        const columns = this.props.columns.filter((c) => c.narrow || !narrow);
        const found = this.rows();
        const view = rows.visible(found.length, rowHeight, top, room);
        const shown = found.slice(view.first, view.last);
        const width = columns.reduce((sum, c) => sum + c.width, 0);

        return html`
            <div class="tools">
                <input type="search" placeholder="Search" value=${query}
                       id="search" aria-label=${'Search ' + name}
                       title="Words, or column:word"
                       onInput=${(e) => onQuery(e.target.value)} />
                <span class="count" role="status">
                    ${count(found.length, items.length, more, read)}
                </span>
            </div>
            <div class="scroll" tabindex="0" role="grid" aria-label=${name}
                 aria-rowcount=${found.length + 1}
                 ref=${(e) => { this.scroll = e; }}
                 onScroll=${this.onScroll} onKeyDown=${this.onKey}
                 aria-activedescendant=${chosen === null ? null
                                         : `${name}-${chosen}`}>
                <table role="presentation">
                    <colgroup>
                        ${columns.map((c) => html`
                            <col style=${{ width:
                                           c.width / width * 100 + '%' }} />`)}
                    </colgroup>
                    <thead role="rowgroup">
                        <tr role="row">${columns.map((c) =>
                            this.header(c))}</tr>
                    </thead>
                    <tbody role="rowgroup">
                        <tr style=${{ height: view.before + 'px' }}
                            aria-hidden="true"></tr>
                        ${shown.map((row, i) =>
                            this.row(row, view.first + i, columns))}
                        <tr style=${{ height: view.after + 'px' }}
                            aria-hidden="true"></tr>
                    </tbody>
                </table>
                ${read && found.length === 0 && html`
                    <p class="nothing">${query ? 'Nothing has these words.'
                                               : 'There is none now.'}</p>`}
            </div>`;
    }


    header(column) {
        const { sort, down } = this.state;
        const by = column.name === sort;

        return html`
            <th class=${column.right ? 'right' : ''} role="columnheader"
                aria-sort=${by ? down ? 'descending' : 'ascending' : null}>
                <button onClick=${() => this.sortBy(column.name)}>
                    ${column.title}${by ? down ? ' \u25be' : ' \u25b4' : ''}
                </button>
            </th>`;
    }


    row(row, index, columns) {
        const { name, id, now } = this.props;
        const key = row[id];

        return html`
            <tr key=${key} id=${`${name}-${key}`} role="row"
                aria-rowindex=${index + 2}
                class=${key === this.state.chosen ? 'chosen' : ''}
                onClick=${() => this.open(row)}>
                ${columns.map((c) => {
                    const text = rows.cell(c, row, now);
                    const tone = c.tone ? c.tone(c.value(row), row) : '';

                    return html`
                        <td class=${c.right ? 'right' : ''} role="gridcell"
                            title=${text}>
                            ${tone ? html`<span class=${'tone ' + tone}>
                                              ${text}</span>` : text}
                        </td>`;
                })}
            </tr>`;
    }
}


function count(found, all, more, read) {
    if (!read && all === 0) {
        return 'asking\u2026';
    }

    const of = found === all ? format.number(all)
                             : `${format.number(found)} of ${
                                format.number(all)}`;
    return more ? `${of}, the first ones: search for others` : of;
}
