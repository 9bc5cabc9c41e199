// What is known of one item, in a dialog, and what can be done with it: a rover
// is kicked, after a question; an account is tried at its provider.

import { Component, html } from './view.js';
import { details } from './columns.js';
import * as format from './format.js';

export class Details extends Component {

    // props: title, item, list, now, gone (it is not there any more), onClose,
    // onLook (shows it on the map; none: it has no position), kick(item), which
    // ends its session, test(item), which logs in with it and tells the answer:
    // promises, or null where there is none

    constructor(props) {
        super(props);
        this.state = { asked: false, busy: false, said: '' };
    }


    componentDidMount() {
        this.dialog.showModal();
    }


    async kick() {
        const { item, kick, onClose } = this.props;

        this.setState({ busy: true, said: '' });

        try {
            await kick(item);
            onClose();
        } catch (error) {
            this.setState({ busy: false, asked: false, said: reason(error) });
        }
    }


    async test() {
        const { item, test } = this.props;

        this.setState({ busy: true, said: 'Logging in\u2026' });

        try {
            this.setState({ busy: false,
                            said: `The provider says: ${await test(item)}` });
        } catch (error) {
            this.setState({ busy: false, said: reason(error) });
        }
    }


    render() {
        const { title, item, now, gone, onClose } = this.props;
        const { asked, said } = this.state;

        return html`
            <dialog ref=${(e) => { this.dialog = e; }} onClose=${onClose}
                    aria-labelledby="details-title"
                    onClick=${(e) => e.target === this.dialog
                                     && this.dialog.close()}>
                <div class="inside">
                <h2 id="details-title">${title}</h2>
                ${gone && html`<p class="gone">It is not there any more; this is
                    what was known last.</p>`}
                <dl>${details(item, now).map(({ name, text }) => html`
                    <dt>${name}</dt><dd>${text}</dd>`)}</dl>
                ${Array.isArray(item.messages) && messages(item.messages)}
                ${said && html`<p class="said" role="alert">${said}</p>`}
                ${asked ? this.question() : this.buttons()}
                </div>
            </dialog>`;
    }


    buttons() {
        const { gone, onLook, kick, test } = this.props;
        const { busy } = this.state;

        return html`
            <div class="buttons">
                ${kick && !gone && html`
                    <button class="danger" id="kick"
                            onClick=${() => this.setState({ asked: true,
                                                            said: '' })}>
                        Kick\u2026</button>`}
                ${test && !gone && html`
                    <button id="test" disabled=${busy}
                            onClick=${() => this.test()}>
                        Test the login</button>`}
                ${onLook && html`
                    <button onClick=${onLook}>Show on map</button>`}
                <button onClick=${() => this.dialog.close()}>Close</button>
            </div>`;
    }


    question() {
        const { item } = this.props;
        const { busy } = this.state;

        return html`
            <div class="question" role="alert">
                <p>End this session of <b>${item.user}</b>, and the older ones
                of this user? The device may log in again at once.</p>
                <div class="buttons">
                    <button class="danger" id="kick-yes" disabled=${busy}
                            onClick=${() => this.kick()}>
                        ${busy ? 'Ending\u2026' : 'End it'}</button>
                    <button disabled=${busy} ref=${(e) => e?.focus()}
                            onClick=${() => this.setState({ asked: false })}>
                        Keep it</button>
                </div>
            </div>`;
    }
}


function reason(error) {
    if (error.status === 405) {
        return 'This location has no "ntrip_api on": it only shows.';
    }

    if (error.kind === 'login') {
        return 'Your login has expired. Log in again, then repeat it.';
    }

    return error.kind === 'absent' ? 'It is not there any more.'
                                   : error.detail ?? error.message;
}


function messages(list) {
    return html`
        <table class="messages">
            <thead><tr><th>Message</th><th class="right">Count</th>
                <th class="right">Rate</th></tr></thead>
            <tbody>${list.map((m) => html`
                <tr><td>${m.type === 0 ? 'no RTCM 3' : `RTCM ${m.type}`}</td>
                    <td class="right">${format.number(m.count)}</td>
                    <td class="right">${format.rate(m.rate)}</td></tr>`)}
            </tbody>
        </table>`;
}
