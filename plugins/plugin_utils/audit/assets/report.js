// The report's behaviour. Whatever comes from Bitbucket goes into the page as text, never as markup.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const [OWNER, ID, NAME, BITS, OTHERS, CREATED, EXPIRES, USED, FINDINGS, IGNORED] = Array(10).keys();
  const [KIND, LABEL, PROJECT, TITLE, LINK, INACTIVE] = Array(6).keys();
  const [CODE, WORDING] = Array(2).keys();
  const PAGE = 50;
  // What is printed at most: a browser takes about half a second for every thousand rows.
  const PRINTED = 2000;
  const MANY = 15;
  const DAY = 86400;
  const WORDS = {
    none: "No finding",
    info: "Info",
    low: "Low",
    medium: "Medium",
    high: "High",
    critical: "Critical",
    project: "Project",
    repository: "Repository",
    user: "User",
    forbidden: "refused",
    not_found: "not found",
  };
  const rows = data.rows;
  const total = rows.length;
  const byId = (id) => document.getElementById(id);
  const word = (code) => WORDS[code] || code;
  const figure = new Intl.NumberFormat("en");
  const number = (value) => figure.format(value);
  const plural = (count, one, many) => `${number(count)} ${count === 1 ? one : many}`;

  // Characters that cannot be seen, or that turn the order of others around, by their number.
  const UNSEEN = /[\p{C}\p{Zl}\p{Zp}]/gu;
  const shown = (text) =>
    text.replace(UNSEEN, (char) => `\u27e8U+${char.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}\u27e9`);

  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children.filter((child) => child !== null));
    return element;
  }
  function draw(tag, attributes, text) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
    if (text !== undefined) element.textContent = text;
    return element;
  }
  const foreign = (text, tag = "bdi") => make(tag, {}, shown(text));

  // --- what is looked up often, once -----------------------------------------------------------------------------

  const names = (row) => {
    const known = data.permissions.filter((_name, bit) => row[BITS] & (1 << bit));
    return data.others[row[OTHERS]] ? [...known, data.others[row[OTHERS]]] : known;
  };
  const severity = new Uint8Array(total);
  const kinds = new Uint8Array(total);
  const haystack = new Array(total);
  const KINDS = ["project", "repository", "user"];
  for (let index = 0; index < total; index += 1) {
    const row = rows[index];
    const owner = data.owners[row[OWNER]];
    const parts = [row[NAME], row[ID], owner[LABEL], owner[TITLE], ...names(row)];
    for (const [code, level] of row[FINDINGS]) {
      severity[index] = Math.max(severity[index], level);
      parts.push(data.findings[code][CODE], data.findings[code][WORDING]);
    }
    kinds[index] = KINDS.indexOf(owner[KIND]);
    haystack[index] = parts.join("\n").toLowerCase();
  }

  // --- dates -----------------------------------------------------------------------------------------------------

  const TIME_OF_DAY = /T\d\d:\d\d:\d\dZ/g;
  const dateOf = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 10);
  function distance(seconds) {
    if (data.now === null) return "";
    const days = Math.floor(Math.abs(seconds - data.now) / DAY);
    const text = days < 1 ? "within a day" : plural(days, "day", "days");
    if (days < 1) return seconds <= data.now ? "less than a day ago" : text;
    return seconds <= data.now ? `${text} ago` : `in ${text}`;
  }

  // --- head ------------------------------------------------------------------------------------------------------

  function head() {
    const about = byId("about");
    const moment = data.time ? `as of ${data.time.replace("T", " ").replace("Z", " UTC")}` : "the server sent no time";
    about.replaceChildren(foreign(data.server), ` \u00b7 ${moment}`);
    const notices = byId("notices");
    if (!data.complete) {
      notices.append(make("p", {}, make("strong", {}, "This audit is incomplete. "), "Some owners could not be read."));
    }
    for (const note of data.notes) notices.append(make("p", {}, shown(note)));
    notices.hidden = !notices.children.length;
  }

  function tiles() {
    const { counts } = data;
    const never = rows.filter((row) => row[EXPIRES] === null).length;
    const bad = counts.severities.critical + counts.severities.high;
    const share = (count) => `${total ? Math.round((100 * count) / total) : 0} % of all`;
    const list = [
      ["Tokens", counts.tokens, `of ${plural(counts.owners, "owner", "owners")}`],
      ["With findings", counts.tokens_with_findings, share(counts.tokens_with_findings)],
      ["High or critical", bad, share(bad), bad > 0],
      ["Expiring", counts.findings.expiring, `within ${plural(data.days.expiring_days, "day", "days")}`],
      ["Never expire", never, share(never)],
      ["Not read", counts.unread, counts.unread === 1 ? "owner" : "owners", !data.complete],
    ];
    for (const [title, value, below, warn] of list) {
      const amount = make("dd", { class: warn ? "figure bad" : "figure" }, number(value));
      byId("tiles").append(make("div", {}, make("dt", {}, title), amount, make("dd", { class: "muted small" }, below)));
    }
  }

  function severities() {
    const order = [...data.severities.keys()].reverse();
    const amounts = order.map((level) => severity.reduce((sum, value) => sum + (value === level ? 1 : 0), 0));
    const stack = make("div", { class: "stack", "aria-hidden": "true" });
    const legend = make("ul", { class: "legend" });
    order.forEach((level, place) => {
      const name = data.severities[level];
      if (!amounts[place]) return;
      const part = make("span", { class: name });
      part.style.flexGrow = String(amounts[place]);
      stack.append(part);
      legend.append(make("li", { class: `${name} severity` }, `${word(name)} `, make("b", {}, number(amounts[place]))));
    });
    byId("severities").append(stack, legend);
    if (!total) byId("severities").hidden = true;
  }

  // --- charts ----------------------------------------------------------------------------------------------------

  function chart(place, label, bars, facts) {
    const svg = draw("svg", { class: "chart", role: "img", "aria-label": label });
    const table = make("table", { class: "plain" });
    const body = make("tbody");
    for (const bar of bars) {
      body.append(make("tr", {}, make("th", { scope: "row" }, bar.name), make("td", {}, number(bar.count))));
    }
    table.append(make("caption", { class: "unseen" }, label), body);
    const more = make("details", {}, make("summary", {}, "As a table"), table);
    byId(place).append(svg, make("p", { class: "facts" }, facts), more);
    const paint = () => columns(svg, bars);
    new ResizeObserver(paint).observe(svg);
    paint();
  }

  function columns(svg, bars) {
    const width = svg.clientWidth || 520;
    const height = 190;
    const base = height - 22;
    const most = Math.max(1, ...bars.map((bar) => bar.count));
    const step = width / bars.length;
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.replaceChildren(draw("line", { x1: 0, x2: width, y1: base + 0.5, y2: base + 0.5 }));
    bars.forEach((bar, index) => {
      const size = bar.count ? Math.max(2, ((base - 22) * bar.count) / most) : 0;
      const thick = Math.min(40, step * 0.64);
      const middle = step * (index + 0.5);
      const shape = { x: middle - thick / 2, y: base - size, width: thick, height: size, rx: Math.min(3, size / 2) };
      svg.append(draw("rect", { ...shape, class: bar.warm ? "warm" : "" }));
      if (bar.count) svg.append(draw("text", { x: middle, y: base - size - 6, class: "value" }, number(bar.count)));
      svg.append(draw("text", { x: middle, y: height - 5 }, bar.short));
    });
  }

  function expiry() {
    if (data.now === null) {
      byId("expiry").append(make("p", { class: "muted" }, "The server sent no usable time, so this is not drawn."));
      return;
    }
    const start = new Date(data.now * 1000);
    const [year, month, day] = [start.getUTCFullYear(), start.getUTCMonth(), start.getUTCDate()];
    // To the end of this day a year on; where this is 29 February, of the 28th.
    const end = Math.min(Date.UTC(year + 1, month, day + 1), Date.UTC(year + 1, month + 1, 1)) / 1000 - 1;
    const bars = [];
    for (let index = 0; index <= 12; index += 1) {
      const first = new Date(Date.UTC(year, month + index, 1));
      const short = first.toLocaleDateString("en", { month: "short", timeZone: "UTC" });
      const name = first.toLocaleDateString("en", { month: "long", year: "numeric", timeZone: "UTC" });
      const part = { 0: ` from ${dateOf(data.now)}`, 12: ` to ${dateOf(end)}` }[index] || "";
      bars.push({ name: name + part, short, count: 0 });
    }
    const other = { gone: 0, later: 0, never: 0 };
    for (const row of rows) {
      if (row[EXPIRES] === null) other.never += 1;
      else if (row[EXPIRES] <= data.now) other.gone += 1;
      else {
        const moment = new Date(row[EXPIRES] * 1000);
        if (row[EXPIRES] > end) other.later += 1;
        else bars[(moment.getUTCFullYear() - year) * 12 + moment.getUTCMonth() - month].count += 1;
      }
    }
    const facts = [
      `${number(other.gone)} expired already`,
      `${number(other.later)} later`,
      `${number(other.never)} never`,
    ].join(" \u00b7 ");
    const sum = bars.reduce((value, bar) => value + bar.count, 0);
    chart("expiry", `${plural(sum, "token expires", "tokens expire")} in the next 12 months, by month; ${facts}`, bars, facts);
  }

  function used() {
    if (data.now === null) {
      byId("used").append(make("p", { class: "muted" }, "The server sent no usable time, so this is not drawn."));
      return;
    }
    const bars = [
      [7, "within 7 days", "7 d"],
      [30, "within 30 days", "30 d"],
      [90, "within 90 days", "90 d"],
      [180, "within 180 days", "180 d"],
      [365, "within a year", "1 y"],
      [Infinity, "longer ago", "older"],
    ].map(([limit, name, short]) => ({ limit, name, short, count: 0, warm: limit > data.days.unused_days }));
    const nothing = { name: "no use recorded", short: "none", count: 0, warm: true };
    for (const row of rows) {
      if (row[USED] === null) nothing.count += 1;
      else bars.find((bar) => data.now - row[USED] <= bar.limit * DAY).count += 1;
    }
    const facts = `Amber: over ${plural(data.days.unused_days, "day", "days")} ago, or none recorded, which is how a use that Bitbucket did not note looks too.`;
    chart("used", `Tokens by their last recorded use. ${facts}`, [...bars, nothing], facts);
  }

  function heat() {
    const groups = new Map();
    for (const row of rows) {
      const owner = data.owners[row[OWNER]];
      const key = owner[PROJECT] || "\u0000";
      if (!groups.has(key)) groups.set(key, { key, counts: [0, 0, 0, 0, 0, 0], tokens: 0, title: "", link: "" });
      const group = groups.get(key);
      group.tokens += 1;
      if (owner[KIND] === "project") [group.title, group.link] = [owner[TITLE], owner[LINK]];
      for (let bit = 0; bit < 6; bit += 1) if (row[BITS] & (1 << bit)) group.counts[bit] += 1;
    }
    const list = [...groups.values()].sort(
      (one, two) =>
        two.counts[2] + two.counts[5] - one.counts[2] - one.counts[5] ||
        two.tokens - one.tokens ||
        (one.key < two.key ? -1 : 1),
    );
    const most = Math.max(1, ...list.flatMap((group) => group.counts));
    const heading = make("tr", {}, make("th", { scope: "col" }, "Project"));
    for (const name of data.permissions) {
      heading.append(make("th", { scope: "col" }, ...name.split("_").flatMap((part, at) => (at ? [make("br"), part] : [part]))));
    }
    const body = make("tbody");
    const add = (group) => {
      const title = group.key === "\u0000" ? make("span", {}, "Personal tokens") : foreign(group.key);
      const extra = group.title && group.title !== group.key ? make("bdi", { class: "muted" }, ` ${shown(group.title)}`) : null;
      const line = make("tr", {}, make("th", { scope: "row" }, title, extra ? " " : null, extra));
      for (const count of group.counts) {
        const level = count ? 1 + Math.min(3, Math.floor((4 * Math.log(count)) / Math.log(most + 1))) : 0;
        line.append(make("td", { class: `h${level}` }, count ? number(count) : "\u2013"));
      }
      body.append(line);
    };
    list.slice(0, MANY).forEach(add);
    const table = make("table", {}, make("thead", {}, heading), body);
    const label = "Permissions by project, a table that scrolls";
    byId("heat").append(make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, table));
    if (list.length <= MANY) return;
    const rest = make("button", { type: "button", class: "quiet more" }, `Show all ${number(list.length)} rows`);
    const paper = make("p", { class: "facts paper" }, `The first ${MANY} of ${number(list.length)} rows.`);
    rest.addEventListener("click", () => {
      list.slice(MANY).forEach(add);
      rest.remove();
      paper.remove();
    });
    byId("heat").append(rest, paper);
  }

  // --- the table: filter, sort, page -----------------------------------------------------------------------------

  const never = (value) => (value === null ? Infinity : value);
  const COLUMNS = [
    { id: "severity", title: "Severity", down: true, key: (index) => severity[index] },
    { id: "name", title: "Token", key: (index) => rows[index][NAME].toLowerCase() },
    { id: "owner", title: "Owner", key: (index) => data.owners[rows[index][OWNER]][LABEL].toLowerCase() },
    { id: "permissions", title: "Permissions", down: true, key: (index) => rows[index][BITS] },
    { id: "expires", title: "Expires", key: (index) => never(rows[index][EXPIRES]) },
    { id: "used", title: "Last use", key: (index) => rows[index][USED] || 0 },
    { id: "findings", title: "Findings", down: true, key: (index) => rows[index][FINDINGS].length },
  ];
  const orders = new Map();
  // All tokens in the order of a column; equal ones stay in the order of their references.
  function ordered(column, down) {
    const name = `${column.id} ${down}`;
    if (!orders.has(name)) {
      const keys = Array.from({ length: total }, (_nothing, index) => column.key(index));
      const [less, more] = down ? [1, -1] : [-1, 1];
      const order = Uint32Array.from(keys.keys());
      order.sort((one, two) => (keys[one] < keys[two] ? less : keys[one] > keys[two] ? more : one - two));
      orders.set(name, order);
    }
    return orders.get(name);
  }

  const state = { words: [], least: 0, kind: -1, codes: new Set(), column: COLUMNS[0], down: true, page: 0, found: new Uint32Array(0) };
  const body = byId("table").tBodies[0];

  function filter() {
    const order = ordered(state.column, state.down);
    const found = new Uint32Array(total);
    let size = 0;
    for (const index of order) {
      if (severity[index] < state.least) continue;
      if (state.kind >= 0 && kinds[index] !== state.kind) continue;
      if (state.codes.size && !rows[index][FINDINGS].some(([code]) => state.codes.has(code))) continue;
      if (!state.words.every((part) => haystack[index].includes(part))) continue;
      found[size] = index;
      size += 1;
    }
    state.found = found.subarray(0, size);
    state.page = 0;
    show();
  }

  function show() {
    const size = state.found.length;
    const pages = Math.max(1, Math.ceil(size / PAGE));
    const visible = state.found.subarray(state.page * PAGE, (state.page + 1) * PAGE);
    fill(visible);
    byId("count").textContent =
      size === total ? plural(total, "token", "tokens") : `${number(size)} of ${plural(total, "token", "tokens")}`;
    byId("page").textContent = `Page ${number(state.page + 1)} of ${number(pages)}`;
    byId("previous").disabled = state.page === 0;
    byId("next").disabled = state.page >= pages - 1;
    byId("pager").hidden = pages === 1;
    byId("reset").hidden = !(state.words.length || state.least || state.kind >= 0 || state.codes.size);
  }

  function fill(indexes) {
    const lines = Array.from(indexes, line);
    if (!lines.length) {
      const cell = make("td", { class: "empty", role: "cell", colspan: String(COLUMNS.length) }, "No token matches.");
      lines.push(make("tr", { role: "row" }, cell));
    }
    body.replaceChildren(...lines);
  }

  function line(index) {
    const row = rows[index];
    const level = data.severities[severity[index]];
    const cell = (at, ...children) => make("td", { role: "cell", "data-label": COLUMNS[at].title }, make("div", {}, ...children));
    const below = (text) => make("span", { class: "stack-text" }, text);
    const name = make("th", { role: "rowheader", scope: "row" }, foreign(row[NAME]), below(row[ID]));
    return make(
      "tr",
      { role: "row" },
      cell(0, make("span", { class: `${level} severity` }, word(level))),
      name,
      cell(2, ownerOf(row), below(word(data.owners[row[OWNER]][KIND]))),
      cell(3, ...names(row).map((text) => make("div", { class: "names" }, shown(text)))),
      cell(4, ...moment(row[EXPIRES], "never")),
      cell(5, ...moment(row[USED], "no use recorded")),
      cell(6, findings(row)),
    );
    function moment(seconds, otherwise) {
      if (seconds === null) return [make("span", { class: "when" }, otherwise)];
      const time = make("time", { class: "when", datetime: new Date(seconds * 1000).toISOString() }, dateOf(seconds));
      return [time, below(distance(seconds))];
    }
  }

  function ownerOf(row) {
    const owner = data.owners[row[OWNER]];
    const text = foreign(owner[LABEL]);
    // Checked where the report was made; here once more, since a link is what a page can be tricked with.
    if (!/^https?:\/\//.test(owner[LINK])) return text;
    return make("a", { href: owner[LINK], rel: "noopener noreferrer", title: "Open in Bitbucket" }, text);
  }

  function findings(row) {
    const list = make("ul");
    for (const [code, level, detail] of [...row[FINDINGS]].sort((one, two) => two[1] - one[1])) {
      const [, title, advice] = data.findings[code];
      const label = make("span", { class: `${data.severities[level]} severity`, title: advice }, title);
      list.append(make("li", {}, label, ` ${shown(data.details[detail]).replace(TIME_OF_DAY, "")}`));
    }
    for (const [code, , detail, reason] of row[IGNORED]) {
      const text = `Ignored: ${data.findings[code][WORDING]}, ${data.details[detail]}. ${data.reasons[reason]}`;
      list.append(make("li", { class: "ignored" }, shown(text)));
    }
    return list.children.length ? list : make("span", { class: "muted" }, "\u2013");
  }

  function sortBy(column, down) {
    state.down = down;
    state.column = column;
    for (const cell of byId("table").tHead.rows[0].cells) {
      const own = cell.dataset.id === column.id;
      cell.setAttribute("aria-sort", own ? (down ? "descending" : "ascending") : "none");
    }
    byId("sort").value = `${column.id} ${down ? "down" : "up"}`;
    filter();
  }

  function heading() {
    const cells = COLUMNS.map((column) => {
      const button = make("button", { type: "button" }, column.title);
      const first = Boolean(column.down);
      button.addEventListener("click", () => sortBy(column, state.column === column ? !state.down : first));
      return make("th", { scope: "col", role: "columnheader", "aria-sort": "none", "data-id": column.id }, button);
    });
    byId("table").tHead.append(make("tr", { role: "row" }, ...cells));
  }

  function controls() {
    const options = (id, list) => byId(id).append(...list.map(([value, text]) => make("option", { value }, text)));
    options("severity", [
      ["0", "All"],
      ...data.severities.map((name, level) => [String(level), level === 5 ? word(name) : `${word(name)} or worse`]).slice(1),
    ]);
    options("kind", [["-1", "All"], ...KINDS.map((name, at) => [String(at), `${word(name)} tokens`])]);
    options(
      "sort",
      COLUMNS.flatMap((column) => [
        [`${column.id} ${column.down ? "down" : "up"}`, column.title],
        [`${column.id} ${column.down ? "up" : "down"}`, `${column.title}, reversed`],
      ]),
    );
    byId("search").addEventListener("input", (event) => {
      state.words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
      filter();
    });
    byId("severity").addEventListener("change", (event) => {
      state.least = Number(event.target.value);
      filter();
    });
    byId("kind").addEventListener("change", (event) => {
      state.kind = Number(event.target.value);
      filter();
    });
    byId("sort").addEventListener("change", (event) => {
      const [id, way] = event.target.value.split(" ");
      sortBy(COLUMNS.find((column) => column.id === id), way === "down");
    });
    byId("reset").addEventListener("click", () => {
      Object.assign(state, { words: [], least: 0, kind: -1 });
      state.codes.clear();
      byId("search").value = "";
      byId("severity").value = "0";
      byId("kind").value = "-1";
      for (const chip of byId("codes").children) chip.setAttribute("aria-pressed", "false");
      filter();
      byId("search").focus();
    });
    for (const [id, by] of [["previous", -1], ["next", 1]]) {
      byId(id).addEventListener("click", () => {
        state.page += by;
        show();
        byId("tokens").scrollIntoView({ block: "start" });
      });
    }
  }

  function chips() {
    data.findings.forEach(([code, title, advice], at) => {
      const count = data.counts.findings[code];
      if (!count) return;
      const text = [`${title} `, make("b", {}, number(count))];
      const chip = make("button", { type: "button", "aria-pressed": "false", "data-code": code, title: advice }, ...text);
      chip.addEventListener("click", () => {
        if (!state.codes.delete(at)) state.codes.add(at);
        chip.setAttribute("aria-pressed", String(state.codes.has(at)));
        filter();
      });
      byId("codes").append(chip);
    });
    byId("codes").hidden = !byId("codes").children.length;
  }

  // --- the rest --------------------------------------------------------------------------------------------------

  function unread() {
    byId("unread").hidden = !data.unread.length;
    const lines = make("tbody");
    const add = ([owner, reason, message]) => {
      const cells = [foreign(owner, "th"), make("td", {}, word(reason)), foreign(message, "td")];
      cells[0].setAttribute("scope", "row");
      cells[2].setAttribute("class", "muted small");
      lines.append(make("tr", {}, ...cells));
    };
    data.unread.slice(0, 2 * PAGE).forEach(add);
    const titles = ["Owner", "Reason", "Message"].map((title) => make("th", { scope: "col" }, title));
    byId("unread-list").append(make("table", {}, make("thead", {}, make("tr", {}, ...titles)), lines));
    const rest = data.unread.slice(2 * PAGE);
    if (!rest.length) return () => {};
    const button = make("button", { type: "button", class: "quiet more" }, `Show ${number(rest.length)} more`);
    const all = () => {
      rest.splice(0).forEach(add);
      button.remove();
    };
    button.addEventListener("click", all);
    byId("unread-list").append(button);
    return all;
  }

  function theme() {
    const root = document.documentElement;
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
    const label = () => {
      byId("theme").textContent = isDark() ? "Light" : "Dark";
      byId("theme").setAttribute("aria-label", isDark() ? "Light colours" : "Dark colours");
    };
    byId("theme").addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      label();
    });
    dark.addEventListener("change", label);
    label();
  }

  // On paper there are no pages to turn: what the filters leave is printed, in the order of the screen.
  function printing(all) {
    const media = matchMedia("print");
    const note = byId("printed");
    const before = () => {
      const size = state.found.length;
      all();
      fill(state.found.subarray(0, PRINTED));
      note.hidden = size <= PRINTED;
      note.textContent = `The first ${number(PRINTED)} of ${number(size)} are printed, in the order of the screen. audit.csv has every token.`;
    };
    const after = () => {
      note.hidden = true;
      show();
    };
    addEventListener("beforeprint", before);
    addEventListener("afterprint", after);
    media.addEventListener("change", () => (media.matches ? before() : after()));
  }

  // The order of each column is computed once, while the page is idle.
  function warm() {
    haystack.reduce((sum, text) => sum + (text.includes("\u0000") ? 1 : 0), 0);
    const left = COLUMNS.flatMap((column) => [[column, Boolean(column.down)], [column, !column.down]]);
    const next = () => {
      ordered(...left.shift());
      if (left.length) setTimeout(next);
    };
    setTimeout(next);
  }

  document.documentElement.classList.add("scripted");
  head();
  tiles();
  severities();
  expiry();
  used();
  heat();
  heading();
  controls();
  chips();
  sortBy(COLUMNS[0], true);
  printing(unread());
  theme();
  setTimeout(warm);
})();
