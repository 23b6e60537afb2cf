// One WebSocket to the page's server: it says what comes, and comes back by itself when it is gone.

const FIRST_WAIT = 500; // milliseconds until the first try; each next one waits twice as long
const LONGEST_WAIT = 5000;
const SUBPROTOCOL = "ainet";
const KEPT_TOKEN = "ainet_token";

export class Connection {
  // onMessage(header, picture): picture is an ImageBitmap or null; a promise is waited for.
  // onState(state, reason): "open", "gone" or "token" (it is missing or wrong).
  constructor(onMessage, onState) {
    this.onMessage = onMessage;
    this.onState = onState;
    this.wait = FIRST_WAIT;
    this.socket = null;
    this.timer = 0;
    this.token = takeToken();
    this.connect();
  }

  get isOpen() {
    return this.socket !== null && this.socket.readyState === WebSocket.OPEN;
  }

  // Returns whether the order left.
  send(order) {
    if (!this.isOpen) return false;
    this.socket.send(JSON.stringify(order));
    return true;
  }

  useToken(token) {
    this.token = token.replace(/[^A-Za-z0-9_-]/g, "");
    sessionStorage.setItem(KEPT_TOKEN, this.token);
    this.retry(0);
  }

  // Something is wrong with this one: try another.
  restart(reason) {
    const socket = this.socket;
    this.socket = null;
    if (socket) socket.close();
    this.lost(reason);
  }

  async connect() {
    try {
      const headers = this.token ? { Authorization: `Bearer ${this.token}` } : {};
      const answer = await fetch("access", {
        headers,
        cache: "no-store",
        signal: AbortSignal.timeout(LONGEST_WAIT),
      });
      if (answer.status === 401) return this.onState("token", await answer.text());
      if (!answer.ok) return this.lost(await answer.text());
    } catch {
      return this.lost("");
    }
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const protocols = this.token ? [SUBPROTOCOL, `token.${this.token}`] : [SUBPROTOCOL];
    const socket = new WebSocket(`${scheme}//${location.host}/live`, protocols);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.wait = FIRST_WAIT;
      this.onState("open", "");
    };
    socket.onmessage = (event) => this.receive(socket, event.data);
    socket.onclose = (event) => {
      if (this.socket === socket) this.lost(event.reason);
    };
    this.socket = socket;
    return undefined;
  }

  async receive(socket, data) {
    const length = new DataView(data).getUint32(0);
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
    const bytes = new Uint8Array(data, 4 + length);
    let picture = null;
    if (bytes.length) {
      picture = await createImageBitmap(new Blob([bytes], { type: "image/jpeg" }));
    }
    if (this.socket !== socket) return;
    await this.onMessage(header, picture);
    // Only now the next one is asked for: a slow browser gets fewer, never older ones.
    if (socket.readyState === WebSocket.OPEN) {
      socket.send(JSON.stringify({ shown: header.message }));
    }
  }

  lost(reason) {
    this.socket = null;
    this.onState("gone", reason);
    this.retry(this.wait);
    this.wait = Math.min(2 * this.wait, LONGEST_WAIT);
  }

  retry(milliseconds) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.connect(), milliseconds);
  }
}

// The token of an address that ends in #token=...; it is taken out of the address line.
function takeToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    sessionStorage.setItem(KEPT_TOKEN, given.replace(/[^A-Za-z0-9_-]/g, ""));
    history.replaceState(null, "", location.pathname);
  }
  return sessionStorage.getItem(KEPT_TOKEN) || "";
}

// The form that asks for the token, on every page.
const dialog = document.createElement("dialog");
dialog.setAttribute("aria-labelledby", "token_title");
dialog.innerHTML = `
  <form>
    <h2 id="token_title">Token</h2>
    <p id="token_reason"></p>
    <label for="token">The page's token</label>
    <input id="token" type="password" autocomplete="off" required minlength="16">
    <button type="submit">Open the page</button>
  </form>`;
document.body.append(dialog);

export function askForToken(connection, reason) {
  document.getElementById("token_reason").textContent = reason;
  dialog.oncancel = (event) => event.preventDefault();
  dialog.onsubmit = (event) => {
    event.preventDefault();
    dialog.close();
    connection.useToken(document.getElementById("token").value);
  };
  if (!dialog.open) dialog.showModal();
}

// What the pages of a command say of their connection; ended: the command was told to go on.
export function showState(connection, state, reason, ended) {
  const pill = document.getElementById("connection");
  const [tone, text] = {
    open: ["good", "live"],
    token: ["warn", "token needed"],
    gone: ended ? ["good", "done"] : ["bad", reason || "not connected"],
  }[state];
  pill.dataset.tone = tone;
  pill.textContent = text;
  if (state === "token") askForToken(connection, reason);
}
