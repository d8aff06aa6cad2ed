// The memory viewer: plays recordings, the JSON beside this script, as recordings.py made them. Its axes' legend is there;
// steps, locations and heads (reading ones first) count from 0.

const ROW = { channel: 11, least: 14, tallest: 240, location: 6, matrix: 480 }; // CSS pixels

class MemoryViewer {
  constructor(root) {
    this.root = root;
    this.recordings = JSON.parse(this.find(".recordings").textContent);
    this.step = 0;
    this.timer = null;
    this.listen();
    this.offerScenes();
    if (!this.openAddress()) this.choose(this.recordings[0]);
  }

  find(selector) {
    return this.root.querySelector(selector);
  }

  // ——— Choosing what is shown ———

  offerScenes() {
    const groups = new Map();
    for (const { task, extent, longer } of this.recordings) {
      if (!groups.has(task)) groups.set(task, new Map());
      groups.get(task).set(extent, longer);
    }
    const options = (task, extents) =>
      [...extents].map(([extent, longer]) => {
        const text = `${capital(task)}: ${extent}${longer ? " (longer than in training)" : ""}`;
        return element("option", { value: `${task}/${extent}`, textContent: text });
      });
    const made = [...groups].map(([task, extents]) =>
      element("optgroup", { label: capital(task) }, ...options(task, extents)),
    );
    this.find(".scene").replaceChildren(...made);
  }

  offerControllers(scene, chosen) {
    const models = [...new Set(this.recordings.map(({ model }) => model))];
    const made = models.map((model) => {
      const there = this.recordings.some((one) => one.model === model && sceneOf(one) === scene);
      const text = there ? model : `${model} (not recorded)`;
      return element("option", { value: model, textContent: text, disabled: !there, selected: model === chosen });
    });
    this.find(".controller").replaceChildren(...made);
  }

  // Another scene with the same controller if there is one, another controller with the same scene.
  chooseFromMenus() {
    const [scene, model] = [this.find(".scene").value, this.find(".controller").value];
    const found = this.recordings.filter((one) => sceneOf(one) === scene);
    this.choose(found.find((one) => one.model === model) ?? found[0]);
  }

  // #<id> or #<id>@<step> in the page's address; false where it names no recording.
  openAddress() {
    const [id, step] = location.hash.slice(1).split("@");
    const found = this.recordings.find((one) => one.id === id);
    if (!found) return false;
    this.choose(found, Number(step) || 0);
    this.root.scrollIntoView();
    return true;
  }

  async choose(recording, step = 0) {
    this.pause();
    this.wanted = recording;
    let arrays;
    try {
      arrays = await unpackAll(recording.arrays);
    } catch (error) {
      this.find(".failure").textContent = `This browser cannot unpack the recordings: ${error.message}`;
      this.find(".failure").hidden = false;
      return;
    }
    if (this.wanted !== recording) return; // another was chosen meanwhile
    this.recording = recording;
    this.arrays = arrays;
    this.steps = recording.phases.length;
    const [, heads, locations] = arrays.weighting.shape;
    this.readers = range(recording.readers);
    this.writers = range(heads - recording.readers, recording.readers);
    this.locations = locations;
    this.find(".scene").value = sceneOf(recording);
    this.offerControllers(sceneOf(recording), recording.model);
    this.find(".provenance").textContent = recording.provenance;
    this.find(".count").textContent = locations;
    this.find(".time").max = this.steps - 1;
    this.offerHeads();
    this.makeCards();
    this.step = 0;
    this.draw();
    this.show(step);
  }

  offerHeads() {
    for (const [menu, heads] of [["write", this.writers], ["read", this.readers]]) {
      const every = heads.length > 1 ? [element("option", { value: "all", textContent: "all (largest)" })] : [];
      const one = heads.map((head, i) => element("option", { value: head, textContent: i + 1 }));
      this.find(`.${menu}-head`).replaceChildren(...every, ...one);
    }
    for (const label of this.root.querySelectorAll(".of-many")) label.hidden = this.readers.length === 1;
  }

  chosenHeads(kind) {
    const chosen = this.find(`.${kind}-head`).value;
    return chosen === "all" ? (kind === "write" ? this.writers : this.readers) : [Number(chosen)];
  }

  get shown() {
    return this.find(".all-rows").checked ? range(this.locations) : this.recording.used;
  }

  nameOf(head) {
    const reads = head < this.recording.readers;
    return `${reads ? "read" : "write"} head ${reads ? head + 1 : head - this.recording.readers + 1}`;
  }

  // ——— Moving through time ———

  show(step) {
    this.step = Math.min(this.steps - 1, Math.max(0, Math.round(step)));
    this.drawStep();
  }

  // By hand: whoever steps wants to stay there.
  go(step) {
    this.pause();
    this.show(step);
  }

  play() {
    if (this.step === this.steps - 1) this.show(0);
    // A voice that reads out every step would never catch up.
    this.find(".live").setAttribute("aria-live", "off");
    this.find(".play").textContent = "Pause";
    this.timer = setInterval(() => {
      this.show(this.step + 1);
      if (this.step === this.steps - 1) this.pause();
    }, 1000 / Number(this.find(".speed").value));
  }

  pause() {
    clearInterval(this.timer);
    this.timer = null;
    this.find(".live").setAttribute("aria-live", "polite");
    this.find(".play").textContent = "Play";
  }

  toggle() {
    if (this.timer === null) this.play();
    else this.pause();
  }

  listen() {
    const on = (selector, event, act) => this.find(selector).addEventListener(event, act);
    on(".scene", "change", () => this.chooseFromMenus());
    on(".controller", "change", () => this.chooseFromMenus());
    for (const choice of [".write-head", ".read-head", ".all-rows"]) on(choice, "change", () => this.draw());
    on(".stretched", "change", () => this.drawStep());
    on(".first", "click", () => this.go(0));
    on(".back", "click", () => this.go(this.step - 1));
    on(".play", "click", () => this.toggle());
    on(".forth", "click", () => this.go(this.step + 1));
    on(".last", "click", () => this.go(this.steps - 1));
    on(".time", "input", (event) => this.go(Number(event.target.value)));
    on(".speed", "change", () => this.timer !== null && (this.pause(), this.play()));
    on(".open-all", "click", () => this.openAll());
    on(".cells", "pointermove", (event) => this.readOut(event));
    on(".cells", "pointerleave", () => this.describeChanges());
    this.root.addEventListener("keydown", (event) => this.key(event));
    this.listenToPanels();
    new ResizeObserver(() => this.resized()).observe(this.root);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    const themed = { attributes: true, attributeFilter: ["data-theme"] };
    new MutationObserver(() => this.draw()).observe(document.documentElement, themed);
    window.addEventListener("hashchange", () => this.openAddress());
  }

  // Only the width matters: the height changes with every card opened.
  resized() {
    if (this.width !== this.root.clientWidth) this.draw();
    this.width = this.root.clientWidth;
  }

  listenToPanels() {
    const panels = this.find(".panels");
    const scrub = (event) => {
      const box = this.find(".panel canvas").getBoundingClientRect();
      this.go(Math.floor(((event.clientX - box.left) / box.width) * this.steps));
    };
    panels.addEventListener("pointerdown", (event) => {
      panels.setPointerCapture(event.pointerId);
      scrub(event);
    });
    panels.addEventListener("pointermove", (event) => panels.hasPointerCapture(event.pointerId) && scrub(event));
  }

  key(event) {
    const { key, target, shiftKey } = event;
    // Menus have a use of their own for all these keys; buttons and boxes for space.
    if (event.altKey || event.ctrlKey || event.metaKey || target.matches("select")) return;
    if (key === " " && target.matches("button, summary, [type=checkbox]")) return;
    const far = shiftKey ? 10 : 1;
    const acts = {
      ArrowLeft: () => this.go(this.step - far),
      ArrowRight: () => this.go(this.step + far),
      Home: () => this.go(0),
      End: () => this.go(this.steps - 1),
      " ": () => this.toggle(),
    };
    if (!acts[key]) return;
    event.preventDefault();
    acts[key]();
  }

  // ——— Drawing what does not change from step to step ———

  draw() {
    if (!this.recording) return;
    this.theme = themeOf(this.root);
    this.maps = mapsOf(this.theme, this.recording.limit);
    this.find(".panels").style.setProperty("--step", 1 / this.steps);
    nameAlong(this.find(".axis .ticks"), "left", thinned(range(this.steps), 9));
    this.find(".low").textContent = `≤ ${fixed(-this.recording.limit, 1)}`;
    this.find(".high").textContent = `≥ ${fixed(this.recording.limit, 1)}`;
    this.drawInputs();
    this.drawTargets();
    this.drawOutputs();
    this.drawWeighting("write");
    this.drawWeighting("read");
    this.layMatrix();
    for (const card of this.root.querySelectorAll(".head")) this.nameLocations(card);
    this.drawStep();
  }

  panel(name, height, named) {
    const panel = this.find(`[data-panel="${name}"]`);
    const canvas = panel.querySelector("canvas");
    canvas.style.height = `${height}px`;
    nameAlong(panel.querySelector(".names"), "top", named);
    return canvas;
  }

  channels(name, groups) {
    const count = sum(groups.map(([, size]) => size));
    let first = 0;
    const named = groups.map(([group, size]) => [((first += size) - size / 2) / count, group]);
    return this.panel(name, Math.max(ROW.least, ROW.channel * count), named);
  }

  // Flags and bits in grey; a number, such as a count or a priority, in the colours of both signs.
  drawInputs() {
    const { input } = this.arrays;
    const count = input.shape[1];
    const largest = range(count).map((c) => Math.max(...range(this.steps).map((t) => Math.abs(row(input, t)[c]))));
    const isBit = range(count).map((c) => range(this.steps).every((t) => [0, 1].includes(row(input, t)[c])));
    heatmap(this.channels("input", this.recording.inputs), this.steps, count, (t, c) => {
      const number = row(input, t)[c];
      return isBit[c] ? this.maps.ink(number) : this.maps.signed(number, largest[c]);
    });
  }

  drawTargets() {
    const { target } = this.arrays;
    const canvas = this.channels("target", this.recording.targets);
    heatmap(canvas, this.steps, target.shape[1], (t, c) => this.maps.ink(row(target, t)[c]));
  }

  drawOutputs() {
    const { output, scored, wrong } = this.arrays;
    const canvas = this.channels("output", this.recording.outputs);
    const count = output.shape[1];
    const context = heatmap(canvas, this.steps, count, (t, c) =>
      (row(scored, t)[c] ? this.maps.ink : this.maps.pale)(row(output, t)[c]),
    );
    if (!context) return;
    const [wide, high] = [canvas.width / this.steps, canvas.height / count];
    const density = canvas.height / canvas.clientHeight;
    for (const t of range(this.steps)) {
      if (row(scored, t).some(Boolean)) {
        context.fillStyle = css(this.theme.ink);
        context.fillRect(t * wide, 0, Math.ceil(wide), 3 * density);
      }
      row(wrong, t).forEach((is, c) => is && this.cross(context, (t + 0.5) * wide, (c + 0.5) * high, density));
    }
  }

  // Told by its shape too; the halo keeps it apart from black and from white cells.
  cross(context, x, y, density) {
    const arm = 3 * density;
    for (const [colour, thick] of [[this.theme.surface, 4], [this.theme.wrong, 2]]) {
      context.strokeStyle = css(colour);
      context.lineWidth = thick * density;
      context.beginPath();
      context.moveTo(x - arm, y - arm);
      context.lineTo(x + arm, y + arm);
      context.moveTo(x - arm, y + arm);
      context.lineTo(x + arm, y - arm);
      context.stroke();
    }
  }

  drawWeighting(kind) {
    const shown = this.shown;
    const heads = this.chosenHeads(kind);
    const height = Math.min(ROW.tallest, Math.max(70, ROW.location * shown.length));
    const canvas = this.panel(kind, height, thinned(shown, height / 14));
    const columns = range(this.steps, 1).map((time) => together(this.arrays.weighting, time, heads));
    heatmap(canvas, this.steps, shown.length, (t, r) => this.maps[kind](columns[t][shown[r]]));
  }

  layMatrix() {
    const shown = this.shown;
    const height = Math.round(shown.length * Math.min(18, Math.max(3, ROW.matrix / shown.length)));
    for (const name of [".cells", ".write-bars", ".read-bars"]) this.find(name).style.height = `${height}px`;
    nameAlong(this.find(".matrix .names"), "top", thinned(shown, height / 14));
  }

  // ——— Drawing a step ———

  drawStep() {
    if (!this.recording) return;
    this.root.dataset.step = this.step;
    this.find(".panels").style.setProperty("--at", this.step / this.steps);
    this.find(".time").value = this.step;
    this.find(".step").textContent = `${this.step} of 0–${this.steps - 1}`;
    this.describe();
    this.drawMatrix();
    this.describeChanges();
    for (const card of this.root.querySelectorAll(".head")) this.fillCard(card);
  }

  describe() {
    const { input, target, output, scored, wrong } = this.arrays;
    const [t, { inputs, targets, outputs, phases, graded }] = [this.step, this.recording];
    const asked = sum(row(scored, t)) > 0;
    const errors = sum(row(wrong, t));
    const told = asked && graded ? ` — ${errors || "no"} ${errors === 1 ? "bit" : "bits"} wrong` : "";
    this.find(".moment").textContent = `Step ${t} of 0–${this.steps - 1}: ${phases[t]}${told}`;
    this.find(".input").textContent = inWords(inputs, row(input, t), whole);
    this.find(".target").textContent = asked ? inWords(targets, row(target, t), whole) : "not scored at this step";
    this.find(".output").textContent = inWords(outputs, row(output, t), (number) => fixed(number));
    for (const kind of ["write", "read"]) this.describeHeads(kind);
  }

  // All that a single head does; of many at once, only where they are.
  describeHeads(kind) {
    const heads = this.chosenHeads(kind);
    const [name, said] =
      heads.length === 1
        ? [this.nameOf(heads[0]), this.gist(heads[0])]
        : [`${kind} heads`, `locations ${heads.map((head) => this.largest(head, 4)).join(", ")}`];
    this.find(`.live .${kind}`).replaceChildren(element("b", { textContent: capital(name) }), `: ${said}`);
  }

  // The numbers of a head's step, as the model computed them.
  gist(head) {
    const [t, { strength, gate, sharpness }] = [this.step, this.arrays];
    return [
      `location ${this.largest(head, 4)}`,
      `strength ${fixed(row(strength, t, head)[0])}`,
      `gate ${fixed(row(gate, t, head)[0])}`,
      `shift ${this.mainShift(head)}`,
      `sharpness ${fixed(row(sharpness, t, head)[0])}`,
    ].join(", ");
  }

  // Where a stage is, and with which weight; `stage` counts from the weighting before, as in recordings.py.
  largest(head, stage) {
    const [weights, places] = ["largest", "largest_at"].map((name) => row(this.arrays[name], this.step, head));
    return `${places[stage]} (${fixed(weights[stage])})`;
  }

  mainShift(head) {
    const shares = row(this.arrays.shift, this.step, head);
    const most = shares.indexOf(Math.max(...shares));
    const by = most - (shares.length - 1) / 2;
    return `${by > 0 ? "+" : ""}${whole(by)} (${fixed(shares[most])})`;
  }

  drawMatrix() {
    const [t, shown, { memory, weighting, erase, add, read }] = [this.step, this.shown, this.arrays];
    const width = memory.shape[2];
    const canvas = this.find(".cells");
    const context = heatmap(canvas, width, shown.length, (c, r) => this.maps.signed(row(memory, t + 1, shown[r])[c]));
    if (context) this.frameChanges(context, canvas.height / shown.length);
    const [writers, readers] = [this.chosenHeads("write"), this.chosenHeads("read")];
    sideBars(this.find(".write-bars"), together(weighting, t + 1, writers), shown, this.theme.write, -1);
    sideBars(this.find(".read-bars"), together(weighting, t + 1, readers), shown, this.theme.read, 1);
    const own = writers.map((head) => head - this.recording.readers);
    this.drawVectors(".erase", erase, own, this.maps.ink);
    this.drawVectors(".add", add, own, (number) => this.maps.signed(number));
    this.drawVectors(".vectors-read", read, readers, (number) => this.maps.signed(number));
  }

  // A row for each head, above or below the matrix's columns.
  drawVectors(selector, array, heads, colour) {
    const canvas = this.find(selector);
    canvas.style.height = `${Math.max(10, 6 * heads.length)}px`;
    heatmap(canvas, array.shape[2], heads.length, (c, r) => colour(row(array, this.step, heads[r])[c]));
  }

  // Locations that this step changed so much that the eye could see it: by a twentieth of the scale.
  get changed() {
    const { memory } = this.arrays;
    return range(this.locations).filter((location) => {
      const [before, after] = [row(memory, this.step, location), row(memory, this.step + 1, location)];
      return after.some((number, c) => Math.abs(number - before[c]) > this.recording.limit / 20);
    });
  }

  frameChanges(context, high) {
    const changed = new Set(this.changed);
    const thick = Math.max(1, Math.min(3, high / 5));
    context.strokeStyle = css(this.theme.write);
    context.lineWidth = thick;
    this.shown.forEach((location, i) => {
      if (changed.has(location))
        context.strokeRect(thick / 2, i * high + thick / 2, context.canvas.width - thick, high - thick);
    });
  }

  describeChanges() {
    const changed = this.recording ? this.changed : [];
    const some = changed.slice(0, 8).join(", ") + (changed.length > 8 ? " and others" : "");
    this.find(".readout").textContent = changed.length
      ? `Changed by this step: ${changed.length === 1 ? "location" : "locations"} ${some}.`
      : "No location is changed by this step.";
  }

  readOut(event) {
    if (!this.recording) return;
    const [canvas, shown, { memory }] = [this.find(".cells"), this.shown, this.arrays];
    const place = (at, size, count) => Math.min(count - 1, Math.max(0, Math.floor((at / size) * count)));
    const location = shown[place(event.offsetY, canvas.clientHeight, shown.length)];
    const component = place(event.offsetX, canvas.clientWidth, memory.shape[2]);
    const number = row(memory, this.step + 1, location)[component];
    this.find(".readout").textContent = `Location ${location}, component ${component}: ${fixed(number)}`;
  }

  // ——— The stages of each head ———

  // The writing heads in one column, the reading ones in another; of many, the sharpest is open.
  makeCards() {
    const { largest } = this.arrays;
    const sharpness = (head) => sum(range(this.steps).map((t) => row(largest, t, head)[4]));
    const columns = [this.writers, this.readers].map((heads) => {
      const sharpest = heads.reduce((best, head) => (sharpness(head) > sharpness(best) ? head : best));
      const roomy = this.root.clientWidth > 700 && heads.length <= 2;
      return element("div", {}, ...heads.map((head) => this.makeCard(head, roomy || head === sharpest)));
    });
    this.find(".heads").replaceChildren(...columns);
    this.find(".open-all").hidden = !this.find(".head:not([open])");
  }

  makeCard(head, open) {
    const card = this.find("template").content.firstElementChild.cloneNode(true);
    card.dataset.head = head;
    card.classList.add(head < this.recording.readers ? "read" : "write");
    card.open = open;
    card.querySelector(".name").textContent = capital(this.nameOf(head));
    // Closed cards are not drawn.
    card.addEventListener("toggle", () => this.fillCard(card));
    return card;
  }

  openAll() {
    for (const card of this.root.querySelectorAll(".head")) card.open = true;
    this.find(".open-all").hidden = true;
  }

  nameLocations(card) {
    nameAlong(card.querySelector(".ticks"), "left", thinned(this.shown, 10));
  }

  fillCard(card) {
    const [t, head, arrays] = [this.step, Number(card.dataset.head), this.arrays];
    card.querySelector(".gist").textContent = this.gist(head);
    if (!card.open) return;
    const key = row(arrays.key, t, head);
    heatmap(card.querySelector('[data-stage="key"] canvas'), key.length, 1, (c) => this.maps.signed(key[c]));
    const stages = {
      previous: [row(arrays.weighting, t, head), ""],
      content: [row(arrays.content, t, head), `β ${fixed(row(arrays.strength, t, head)[0])}`],
      gated: [row(arrays.gated, t, head), `g ${fixed(row(arrays.gate, t, head)[0])}`],
      shifted: [row(arrays.shifted, t, head), this.proportions(head)],
      sharpened: [row(arrays.weighting, t + 1, head), `γ ${fixed(row(arrays.sharpness, t, head)[0])}`],
    };
    Object.entries(stages).forEach(([name, [weights, given]], stage) => {
      const part = card.querySelector(`[data-stage="${name}"]`);
      part.querySelector(".given").replaceChildren(given);
      part.querySelector(".largest").textContent = `peak at ${this.largest(head, stage)}`;
      this.drawStage(part.querySelector("canvas"), weights, head);
    });
  }

  drawStage(canvas, weights, head) {
    standingBars(canvas, weights, this.shown, {
      colour: head < this.recording.readers ? this.theme.read : this.theme.write,
      band: this.theme.line,
      marked: row(this.arrays.largest_at, this.step, head)[4],
      top: this.find(".stretched").checked ? Math.max(...weights) || 1 : 1,
    });
  }

  // s as small bars, from the shift furthest back on, and in numbers.
  proportions(head) {
    const shares = Array.from(row(this.arrays.shift, this.step, head));
    const bars = shares.map((share) => {
      const bar = element("i");
      bar.style.setProperty("--share", share);
      return bar;
    });
    const drawn = element("span", { className: "proportions" }, ...bars);
    return element("span", {}, "s ", drawn, ` ${shares.map((share) => fixed(share)).join(" ")}`);
  }
}

const sceneOf = ({ task, extent }) => `${task}/${extent}`;

for (const root of document.querySelectorAll(".memory-viewer:not([data-step])")) root.viewer = new MemoryViewer(root);
