// Runs in the page before its own scripts, and takes the times that only the page knows. Milliseconds; `at` since the page was asked for.
{
  /** Calls back when what this frame changed has been painted. */
  const painted = (done) =>
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => done(performance.now());
      port2.postMessage(0);
    });
  /** The canvas draws what a frame has folded in the frame after it. */
  const drawn = (done) => requestAnimationFrame(() => painted(done));

  let frames = [];
  let isWatching = false;
  const frame = (at) => {
    frames.push(at);
    if (isWatching) requestAnimationFrame(frame);
  };
  const keys = [];
  const messages = [];
  const probe = {
    /** When `data-ready` was on the page, and painted. */
    ready: new Promise((resolve) => {
      new MutationObserver((_, observer) => {
        if (!document.querySelector("#app[data-ready=true]")) return;
        observer.disconnect();
        painted(resolve);
      }).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-ready"] });
    }),
    watchFrames() {
      frames = [];
      isWatching = true;
      requestAnimationFrame(frame);
    },
    /** Times of the frames since. */
    frames() {
      isWatching = false;
      return frames;
    },
    /** From each key to the paint after it. */
    keys: () => keys.splice(0),
    /** From each event of a run, as its process made it, to the paint that shows it. */
    messages: () => messages.splice(0),
    /** From the moment files were chosen to the paint that shows so many nodes. */
    opened(count) {
      return new Promise((resolve) => {
        addEventListener(
          "change",
          (e) => {
            const look = () => {
              if (whosWho.app.editor.graph.value.nodes.length === count) drawn((at) => resolve(at - e.timeStamp));
              else requestAnimationFrame(look);
            };
            look();
          },
          { capture: true, once: true },
        );
      });
    },
    /** The graph in view and how it is looked at. */
    state: () => JSON.stringify(whosWho.stage().view) + whosWho.save(),
    /** Milliseconds that one drawing takes, its pixels not counted. */
    draw(times) {
      const stage = whosWho.stage();
      const start = performance.now();
      for (let i = 0; i < times; i++) stage.drawNow();
      return (performance.now() - start) / times;
    },
  };
  addEventListener("keydown", (e) => painted((at) => keys.push(at - e.timeStamp)), { capture: true });
  const Original = WebSocket;
  globalThis.WebSocket = class extends Original {
    constructor(...args) {
      super(...args);
      this.addEventListener("message", ({ data }) => {
        const at = /"event":\{[^}]*?"at":(\d+(?:\.\d+)?)/.exec(data)?.[1];
        if (at !== undefined) drawn((now) => messages.push(performance.timeOrigin + now - Number(at)));
      });
    }
  };
  globalThis.probe = probe;
}
