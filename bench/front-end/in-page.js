// Runs in ComfyUI's page: opens a file, or puts a graph together by chance, and says what the front end would send.
window.whosWho = (() => {
  const { app, LiteGraph } = window;
  const empty = { last_node_id: 0, last_link_id: 0, nodes: [], links: [], groups: [], config: {}, extra: {}, version: 0.4 };

  async function open(text) {
    await app.loadGraphData(JSON.parse(text), true, true);
    const { output } = await app.graphToPrompt();
    return { text, output };
  }

  /** mulberry32, in [0, 1). */
  function randomOf(seed) {
    let s = seed >>> 0;
    return () => {
      s = (s + 0x6d2b79f5) | 0;
      let t = Math.imul(s ^ (s >>> 15), 1 | s);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
  }

  async function random(seed) {
    const next = randomOf(seed);
    const below = (n) => Math.floor(next() * n);
    const pick = (list) => list[below(list.length)];
    // Things that a person cannot do either.
    const attempt = (act) => {
      try {
        act();
      } catch {
        // The next one.
      }
    };
    // Subgraphs of earlier graphs are registered too, by an id that begins with a small letter or a digit.
    const types = [
      ...Object.keys(LiteGraph.registered_node_types).filter((t) => /^[A-Z]\w*$/.test(t) && LiteGraph.registered_node_types[t].nodeData),
      "PrimitiveNode",
    ];
    await app.loadGraphData(empty, true, true);
    const { graph } = app;

    const typeInto = (node) => {
      for (const widget of node.widgets ?? []) {
        if (next() > 0.7) continue;
        attempt(() => {
          const { values } = widget.options ?? {};
          if (widget.name === "control_after_generate") widget.value = pick(["fixed", "increment", "randomize"]);
          else if (Array.isArray(values) && values.length > 0) widget.value = pick(values);
          else if (typeof widget.value === "boolean") widget.value = next() < 0.5;
          else if (typeof widget.value === "number") widget.value = Number.isInteger(widget.value) ? 8 * (1 + below(64)) : below(8) / 8;
          else if (typeof widget.value === "string") widget.value = pick(["a b", "fixed", "randomize", "image", `text ${below(99)}`]);
        });
      }
    };
    const connect = (times) => {
      for (let i = 0; i < times; i++) {
        const from = pick(graph.nodes);
        const to = pick(graph.nodes);
        if (from === to || !from.outputs?.length || !to.inputs?.length || (from.id > to.id && next() < 0.9)) continue;
        const slot = below(from.outputs.length);
        const slots = to.inputs.flatMap((input, k) => (LiteGraph.isValidConnection(from.outputs[slot].type, input.type) ? [k] : []));
        if (slots.length > 0) attempt(() => from.connect(slot, to, pick(slots)));
      }
    };
    const add = (type) =>
      attempt(() => {
        const node = LiteGraph.createNode(type);
        graph.add(node);
        typeInto(node);
      });

    const count = 6 + below(14);
    for (let i = 0; i < count; i++) add(pick(types));
    connect(count * 8);
    const bypassed = next() * 0.4;
    for (const node of graph.nodes) node.mode = next() < bypassed ? 4 : next() < 0.06 ? 2 : 0;
    const depth = below(4);
    for (let d = 0; d < depth; d++) {
      const some = new Set(graph.nodes.filter(() => next() < 0.45));
      if (some.size === 0) continue;
      attempt(() => {
        const { node } = graph.convertToSubgraph(some);
        typeInto(node);
        for (const i of node.inputs.keys()) if (next() < 0.2) node.disconnectInput(i);
        typeInto(node);
      });
      connect(6);
      const nested = graph.nodes.find((n) => n.subgraph);
      if (nested && next() < 0.3) add(nested.type);
      connect(6);
    }
    return open(JSON.stringify(graph.serialize()));
  }

  return { open, random };
})();
