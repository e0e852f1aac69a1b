// Requests to the data room, with the operator's token; the live picture over a WebSocket.

const KEY = "masa-token";
/** The server sends at least one text a second; after this silence the connection is given up. */
const SILENCE_MS = 6000;
const RETRY_MS = [500, 1000, 2000, 4000, 8000];

export class Refused extends Error {
  constructor(status, words) {
    super(words);
    this.status = status;
  }
}

/** A link may carry a token behind its `#`, which is not sent to any server; it does not stay in the address. */
function takeFromAddress() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (!given) return;
  sessionStorage.setItem(KEY, given);
  history.replaceState(null, "", location.pathname + location.search);
}
takeFromAddress();

/** The token lives as long as the tab. */
export const token = {
  get: () => sessionStorage.getItem(KEY) ?? "",
  set: (text) => (text ? sessionStorage.setItem(KEY, text) : sessionStorage.removeItem(KEY)),
};

export async function get(path, query = {}) {
  const url = new URL(path, location.href);
  for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== null) url.searchParams.set(name, value);
  return answer(await fetch(url, { headers: headers() }));
}

/** Bytes `first` to `last` of a file. */
export async function getBytes(path, first, last) {
  const response = await fetch(path, { headers: { ...headers(), range: `bytes=${first}-${last}` } });
  if (!response.ok) throw new Refused(response.status, response.statusText);
  return response.arrayBuffer();
}

export async function post(path, body) {
  return answer(await fetch(path, { method: "POST", headers: { ...headers(), "content-type": "application/json" }, body: JSON.stringify(body) }));
}

async function answer(response) {
  if (response.ok) return response.json();
  let words = response.statusText;
  try {
    words = (await response.json()).detail ?? words;
  } catch {
    // Not ours: the status says it.
  }
  throw new Refused(response.status, words);
}

const headers = () => (token.get() ? { authorization: `Bearer ${token.get()}` } : {});

/** Follows the live picture: `onText` gets every text, `onState` whether there is a connection. */
export class LiveSocket {
  constructor(onText, onState) {
    [this.onText, this.onState, this.tries] = [onText, onState, 0];
    this.open();
  }

  open() {
    const url = new URL("/control-room/live", location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url, ["masa.v1", ...(token.get() ? [`bearer.${token.get()}`] : [])]);
    const giveUp = () => socket.close();
    let timer = setTimeout(giveUp, SILENCE_MS);
    socket.onmessage = ({ data }) => {
      clearTimeout(timer);
      timer = setTimeout(giveUp, SILENCE_MS);
      this.tries = 0;
      this.onState("live");
      this.onText(JSON.parse(data));
    };
    socket.onclose = () => {
      clearTimeout(timer);
      this.onState("lost");
      setTimeout(() => this.open(), RETRY_MS[Math.min(this.tries++, RETRY_MS.length - 1)]);
    };
  }
}
