// Charts over time, by uPlot: colours of the page's style, drawn anew when that
// changes from light to dark.

import uPlot from './lib/uplot.js';
import { Component, html } from './view.js';

const dark = matchMedia('(prefers-color-scheme: dark)');

const colour = (name) => getComputedStyle(document.documentElement)
                         .getPropertyValue('--' + name).trim();


export class Chart extends Component {

    // props: title, series [{ label, colour }], data [[t...], [...]...],
    // show(value), least: what the scale reaches at least

    componentDidMount() {
        this.make = () => this.plot();
        this.resized = new ResizeObserver(() => {
            const width = Math.floor(this.box.clientWidth);

            if (this.chart && width > 0 && width !== this.chart.width) {
                this.chart.setSize({ width, height: this.height() });
            }
        });

        this.plot();
        this.resized.observe(this.box);
        dark.addEventListener('change', this.make);
    }


    componentDidUpdate(before) {
        if (before.series.length !== this.props.series.length) {
            this.plot();
        } else if (before.data !== this.props.data) {
            this.chart.setData(this.props.data);
        }
    }


    componentWillUnmount() {
        dark.removeEventListener('change', this.make);
        this.resized.disconnect();
        this.chart.destroy();
    }


    height() {
        return this.box.clientWidth < 420 ? 110 : 130;
    }


    plot() {
        const { series, show, data, least } = this.props;
        const axis = { stroke: colour('faint'), font: '11px system-ui',
                       ticks: { show: false },
                       grid: { stroke: colour('line'), width: 1 } };

        this.chart?.destroy();
        this.chart = new uPlot({
            width: Math.max(100, Math.floor(this.box.clientWidth)),
            height: this.height(),
            legend: { show: false },
            cursor: { y: false, drag: { x: false, y: false } },
            padding: [8, 8, 0, 0],
            scales: {
                x: { range: (u, from, to) => minute(from, to) },
                y: { range: (u, low, high) =>
                         [0, Math.max(high * 1.1, least)] },
            },
            axes: [
                { ...axis, space: 70, size: 24, values: (u, times) =>
                    times.map(clock) },
                { ...axis, size: 52, space: 28, values: (u, values) =>
                    values.map(show) },
            ],
            series: [{}, ...series.map((s) => ({
                label: s.label, stroke: colour(s.colour), width: 1.5,
                points: { show: false }, spanGaps: false,
            }))],
        }, data, this.box);
    }


    render() {
        const { title, series, data, show } = this.props;

        return html`
            <figure class="chart">
                <figcaption>
                    <b>${title}</b>
                    ${series.map((s, i) => html`
                        <span><i style=${{ background:
                                           `var(--${s.colour})` }}></i>
                        ${s.label} ${show(data[i + 1].at(-1) ?? null)}</span>`)}
                </figcaption>
                <div class="plot" ref=${(e) => { this.box = e; }}></div>
            </figure>`;
    }
}


// the scale of time is a minute long at least, also without any data

function minute(from, to) {
    const last = to ?? Date.now() / 1000;
    return [Math.min(from ?? last, last - 60), last];
}


const clock = (seconds) => new Date(seconds * 1000)
    .toLocaleTimeString('en-GB');
