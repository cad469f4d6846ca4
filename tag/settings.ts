// What the page that includes the tag says: `<script src="https://HOST/tag.js" data-campaign="…">`.

/** The Worker's setting `do_not_track`, written in when the script is served: "anonymous", "drop" or, for ignore, "". */
declare const SIGNALS: string;
const browser = navigator as Navigator & { globalPrivacyControl?: boolean };

/** What a wish not to be tracked asks of us; falsy where there is none. */
export const wish = ((browser.doNotTrack as any) > 0 || browser.globalPrivacyControl) && SIGNALS;

const script = document.currentScript as HTMLScriptElement;

export const said = script.dataset;

export const endpoint = new URL(said.endpoint || "/events", script.src);
