// The map: rovers by their fix, stations, and around the position that went to
// a provider the circle within which rovers share its corrections.  By Leaflet,
// on a canvas, so that 10,000 rovers move; text goes into it as text nodes.

import * as L from './lib/leaflet.js';
import { Component, html } from './view.js';
import { bounds, lines, step } from './grid.js';
import { fixOf } from './state.js';
import * as format from './format.js';

const dark = matchMedia('(prefers-color-scheme: dark)');

const colour = (name) => getComputedStyle(document.documentElement)
                         .getPropertyValue('--' + name).trim();

const at = (p) => [p.latitude, p.longitude];

const text = (words) => document.createTextNode(words);


// Things on the map by their keys: made, moved, changed and removed as the
// items of a list come and go

class Layer {

    // make(item) gives something of Leaflet, change(thing, item, former item)
    // brings it up to date

    constructor(map, make, change) {
        Object.assign(this, { map, make, change, things: new Map() });
    }

    show(items) {
        const left = new Map(this.things);

        for (const [key, item] of items) {
            const known = left.get(key);
            left.delete(key);

            if (!known) {
                const thing = this.make(item).addTo(this.map);
                this.things.set(key, { thing, item });

            } else if (known.item !== item) {
                this.change(known.thing, item, known.item);
                this.things.set(key, { thing: known.thing, item });
            }
        }

        for (const [key, { thing }] of left) {
            thing.remove();
            this.things.delete(key);
        }
    }

    clear() {
        this.show(new Map());
    }
}


export class FieldMap extends Component {

    // props: rovers, streams, stations ([{ ..., position }]), share (km),
    // tiles, attribution, onOpen(list, item), look ({ position, n }: to go
    // there)

    componentDidMount() {
        const { tiles } = this.props;

        this.map = L.map(this.box, {
            attributionControl: false, zoomControl: false, preferCanvas: true,
            worldCopyJump: true, minZoom: 1, maxZoom: tiles ? 19 : 18,
            zoomSnap: 0.5,
        }).setView([30, 10], 2);

        L.control.zoom({ position: 'topright' }).addTo(this.map);

        if (tiles) {
            L.tileLayer(tiles, { maxZoom: 19 }).addTo(this.map);
        } else {
            this.grid = L.layerGroup().addTo(this.map);
            this.map.on('moveend resize', () => this.drawGrid());
        }

        // a hand on the map is not to be moved away by new rovers

        this.touched = false;

        for (const name of ['pointerdown', 'wheel', 'keydown']) {
            this.box.addEventListener(name, () => { this.touched = true; },
                                      { passive: true });
        }

        this.resized = new ResizeObserver(() => this.map.invalidateSize());
        this.resized.observe(this.box);

        this.recolour = () => {
            Object.values(this.layers).forEach((layer) => layer.clear());
            this.drawGrid();
            this.draw();
        };
        dark.addEventListener('change', this.recolour);

        this.layers = this.makeLayers();
        this.drawGrid();
        this.draw();
    }


    componentWillUnmount() {
        dark.removeEventListener('change', this.recolour);
        this.resized.disconnect();
        this.map.remove();
    }


    componentDidUpdate(before) {
        this.draw();

        const { look } = this.props;

        if (look && look !== before.look) {
            this.touched = true;
            this.box.scrollIntoView({ block: 'nearest' });
            this.map.setView(at(look.position),
                             Math.max(this.map.getZoom(), 12));
        }
    }


    makeLayers() {
        const { onOpen } = this.props;

        const circle = new Layer(this.map,
            (s) => L.circle(at(s.reference), {
                radius: this.props.share * 1000, color: colour('accent'),
                weight: 1, opacity: 0.6, fillColor: colour('accent'),
                fillOpacity: 0.06, interactive: false,

                // behind the rovers, whichever of the two came first
            }).on('add', (event) => event.target.bringToBack()),
            (thing, s) => thing.setLatLng(at(s.reference)));

        const station = new Layer(this.map,
            (s) => {
                const marker = L.marker(at(s.position), {
                    icon: stationIcon(s), title: '', alt: s.mount,
                    keyboard: true });
                marker.bindTooltip(() => text(`Station ${s.mount}`));
                return marker.on('click', () => onOpen('stations', s.mount));
            },
            (thing, s) => thing.setLatLng(at(s.position))
                               .setIcon(stationIcon(s)));

        const rover = new Layer(this.map,
            (r) => {
                const marker = L.circleMarker(at(r.position), roverStyle(r));
                marker.bindTooltip(() => text(this.roverText(r.id)));
                return marker.on('click', () => onOpen('rovers', r.id));
            },
            (thing, r, former) => {
                thing.setLatLng(at(r.position));

                if (r.fix !== former.fix) {
                    thing.setStyle(roverStyle(r));
                }
            });

        return { circle, station, rover };
    }


    roverText(id) {
        const rover = this.rovers.get(id);
        return rover ? `${rover.user} \u00b7 ${rover.fix} \u00b7 ${
                        rover.mount ?? format.none}` : '';
    }


    draw() {
        const { rovers, streams, stations } = this.props;

        if (this.drawn === this.props) {
            return;
        }

        const placed = rovers.filter((r) => r.position);
        const shared = streams.filter((s) => s.reference && s.provider);
        const known = stations.filter((s) => s.position);

        this.drawn = this.props;
        this.rovers = new Map(placed.map((r) => [r.id, r]));
        this.layers.circle.show(new Map(shared.map((s) => [s.id, s])));
        this.layers.station.show(new Map(known.map((s) => [s.mount, s])));
        this.layers.rover.show(this.rovers);

        if (!this.touched) {
            this.fit();
        }
    }


    fit() {
        const { rovers, streams, stations } = this.props;
        const found = bounds([...rovers.map((r) => r.position),
                              ...streams.map((s) => s.reference),
                              ...stations.map((s) => s.position)]);

        if (found && !(this.fitted && this.fitted.contains(found)
                       && !this.far(found)))
        {
            this.map.fitBounds(found, { padding: [24, 24], maxZoom: 13,
                                        animate: false });
            this.fitted = this.map.getBounds();
        }
    }


    // what is in view is less than a quarter of it each way

    far(found) {
        const inner = L.latLngBounds(found);
        const outer = this.fitted;
        return inner.getNorth() - inner.getSouth()
               < (outer.getNorth() - outer.getSouth()) / 4
               && inner.getEast() - inner.getWest()
               < (outer.getEast() - outer.getWest()) / 4;
    }


    drawGrid() {
        if (!this.grid) {
            return;
        }

        const view = this.map.getBounds();
        const [south, north] = [Math.max(-85, view.getSouth()),
                                Math.min(85, view.getNorth())];
        const [west, east] = [view.getWest(), view.getEast()];
        const by = step(Math.max((east - west) * this.map.getSize().y
                                 / this.map.getSize().x, 0.001));
        const line = { color: colour('line'), weight: 1, interactive: false };
        const label = (lat, lon, words, kind) => L.marker([lat, lon], {
            interactive: false, keyboard: false,
            icon: L.divIcon({ className: 'grid ' + kind, iconSize: null,
                              html: element(words) }) });

        this.grid.clearLayers();

        for (const { at: lat, label: words } of
             lines(south, north, by, 'N', 'S'))
        {
            this.grid.addLayer(L.polyline([[lat, west], [lat, east]], line));
            this.grid.addLayer(label(lat, west, words, 'left'));
        }

        for (const { at: lon, label: words } of lines(west, east, by, 'E', 'W'))
        {
            this.grid.addLayer(L.polyline([[south, lon], [north, lon]], line));
            this.grid.addLayer(label(north, lon, words, 'top'));
        }
    }


    render() {
        const { attribution, share } = this.props;

        return html`
            <div class="map">
                <div class="leaflet" ref=${(e) => { this.box = e; }}
                     aria-label="Map of rovers and stations"></div>
                <button class="fit" title="Show everything"
                        onClick=${() => { this.touched = false;
                                          this.fitted = null;
                                          this.fit(); }}>Fit</button>
                <div class="legend">
                    <span><i class="dot fixed"></i>fixed</span>
                    <span><i class="dot float"></i>float</span>
                    <span><i class="dot single"></i>single</span>
                    <span><i class="dot other"></i>other</span>
                    <span><i class="square"></i>station</span>
                    <span><i class="ring"></i>shared, ${share} km</span>
                </div>
                ${attribution && html`
                    <div class="attribution">${attribution}</div>`}
            </div>`;
    }
}


function roverStyle(rover) {
    return { radius: 5.5, weight: 1.5, color: colour('paper'), opacity: 1,
             fillColor: colour(fixOf(rover)), fillOpacity: 1 };
}


function stationIcon(station) {
    const live = station.stream?.state === 'live';

    return L.divIcon({ className: `station ${live ? 'live' : 'away'}`,
                       iconSize: [14, 14], html: element('') });
}


function element(words) {
    const span = document.createElement('span');
    span.textContent = words;
    return span;
}
