import { expect, test } from "vitest";
import { fakeContext } from "../../test/fake-context.ts";
import { fakeEmbeddings, fakeFace, fakeFaces, greyImage } from "../../test/fake-faces.ts";
import type { Embeddings } from "../shared/contracts/data.ts";
import { matchFaces } from "../shared/matching/match-faces.ts";
import { scoreColor } from "../shared/matching/score-color.ts";
import { similarityOf } from "../shared/matching/similarity.ts";
import { Canvas, type Color } from "./canvas.ts";
import drawNode, { drawMatches } from "./draw-matches.ts";
import { textWidth } from "./stroke-font.ts";

const match = (references: Embeddings, generated: Embeddings) =>
  matchFaces(similarityOf(references, generated), { threshold: 0.4, gate: false }).matches;

function pixel({ data, width }: Canvas, x: number, y: number): number[] {
  const at = (Math.floor(y) * width + Math.floor(x)) * 3;
  return [...data.subarray(at, at + 3)];
}

/** How many pixels are within 1e-3 of a colour, and the mean of their places. */
function middle(canvas: Canvas, color: Color): string {
  let [n, x, y] = [0, 0, 0];
  for (let i = 0; i < canvas.width * canvas.height; i++)
    if (color.every((c, k) => Math.abs((canvas.data[3 * i + k] ?? 0) - c) < 1e-3)) {
      n++;
      x += i % canvas.width;
      y += Math.floor(i / canvas.width);
    }
  return `${n} at ${(x / n).toFixed(1)}, ${(y / n).toFixed(1)}`;
}

/** Pixels within 1e-3 of a colour. */
function count(canvas: Canvas, color: Color): number {
  let n = 0;
  for (let at = 0; at < canvas.data.length; at += 3) if (color.every((c, k) => Math.abs((canvas.data[at + k] ?? 0) - c) < 1e-3)) n++;
  return n;
}

const GREY: Color = [0.62, 0.64, 0.68];
const INK: Color = [0.05, 0.05, 0.06];
const BACKGROUND: Color = [0.09, 0.1, 0.12];

test("colours run from red over yellow to green", () => {
  expect(scoreColor(-1)).toEqual(scoreColor(0));
  expect(scoreColor(2)).toEqual(scoreColor(0.8));
  const [red, yellow, green] = [scoreColor(0), scoreColor(0.4), scoreColor(0.8)];
  expect(red[0]).toBeGreaterThan(red[1] + 0.5);
  expect(Math.min(yellow[0], yellow[1])).toBeGreaterThan(0.75);
  expect(green[1]).toBeGreaterThan(green[0] + 0.5);
});

test("every pair is drawn in its colour, the unassigned in grey", () => {
  const half = Math.SQRT1_2;
  const references = fakeEmbeddings([
    [1, 0],
    [0, 1],
  ]); // two people
  const good = drawMatches(
    match(
      references,
      fakeEmbeddings([
        [1, 0],
        [half, half],
      ]),
    ),
  );
  expect(count(good, scoreColor(1))).toBeGreaterThan(2000);
  expect(count(good, scoreColor(half))).toBeGreaterThan(2000);
  expect(count(good, GREY)).toBe(0);
  const extra = drawMatches(
    match(
      fakeEmbeddings([[1, 0]]),
      fakeEmbeddings([
        [1, 0],
        [0, 1],
      ]),
    ),
  );
  expect(count(extra, GREY)).toBeGreaterThan(300);
  const missing = drawMatches(match(references, fakeEmbeddings([[1, 0]])));
  expect(count(missing, GREY)).toBeGreaterThan(300);
});

test("a rejected pair is dashed: about half the ink of an accepted one", () => {
  const references = fakeEmbeddings([[1, 0]]);
  const generated = fakeEmbeddings([[1, 0]]);
  const { matches } = matchFaces(similarityOf(references, generated), { threshold: 0.4, gate: false });
  const rejected = { ...matches, pairs: matches.pairs.map((p) => ({ ...p, accepted: false })) };
  const ratio = count(drawMatches(rejected), scoreColor(1)) / count(drawMatches(matches), scoreColor(1));
  expect(ratio).toBeGreaterThan(0.4);
  expect(ratio).toBeLessThan(0.9);
});

test("small pictures are enlarged, large ones reduced, batches stand in a row; nobody is fine", () => {
  const none = (image = greyImage(100, 200)) => match(fakeEmbeddings([[1, 0]]), { ...fakeEmbeddings([]), faces: fakeFaces([], image) });
  expect(drawMatches(none()).width).toBeGreaterThan(1280);
  const large = drawMatches(none(greyImage(2160, 1080)));
  expect(large.width).toBeLessThan(700);
  expect(large.height).toBeGreaterThan(1080);
  const two = { ...greyImage(100, 200), shape: [2, 100, 200, 3], data: new Float32Array(2 * 100 * 200 * 3).fill(0.5) };
  const batch: Embeddings = {
    ...fakeEmbeddings([
      [1, 0],
      [0, 1],
    ]), // one face in each picture
    source: [
      { image: 0, face: 0 },
      { image: 1, face: 0 },
    ],
    faces: { images: two, faces: [[fakeFace(50, 50)], [fakeFace(150, 50)]] },
  };
  expect(
    drawMatches(
      match(
        fakeEmbeddings([
          [1, 0],
          [0, 1],
        ]),
        batch,
      ),
    ).width,
  ).toBeGreaterThan(2 * 1280);
});

test("the node gives an IMAGE in 0..1, the same every time", async () => {
  const matches = match(fakeEmbeddings([[1, 0]]), fakeEmbeddings([[1, 0.2]]));
  const { IMAGE } = await drawNode.run({ matches }, fakeContext(), {});
  expect(IMAGE.shape).toHaveLength(4);
  expect(IMAGE.data.every((x) => x >= 0 && x <= 1)).toBe(true);
  const again = (await drawNode.run({ matches }, fakeContext(), {})).IMAGE.data;
  expect(again.every((x, i) => x === IMAGE.data[i])).toBe(true);
});

test("the canvas: strokes cover their length and thickness, text its width, clipping holds", () => {
  const canvas = new Canvas(40, 20, [0, 0, 0]);
  canvas.stroke(
    [
      [5, 10],
      [35, 10],
    ],
    4,
    [1, 1, 1],
  ); // 30 long, 4 thick, round ends
  const ink = canvas.data.reduce((a, c) => a + c, 0) / 3;
  expect(Math.abs(ink - (30 * 4 + Math.PI * 4))).toBeLessThan(1);
  expect(pixel(canvas, 20, 10)).toEqual([1, 1, 1]);
  expect(pixel(canvas, 20, 14)).toEqual([0, 0, 0]);
  const box = new Canvas(20, 20, [0, 0, 0]);
  box.box([-5, -5, 15, 15], 0, [1, 0, 0]);
  expect(box.data.reduce((a, c) => a + c, 0)).toBeCloseTo(100, 6);
  const text = new Canvas(60, 30, [0, 0, 0]);
  text.text("-0.87", 5, 5, 20, [1, 1, 1]);
  const columns = Array.from({ length: 60 }, (_, x) => x).filter((x) =>
    Array.from({ length: 30 }, (_, y) => pixel(text, x, y)[0] ?? 0).some((v) => v > 0.5),
  );
  expect(Math.min(...columns)).toBeGreaterThanOrEqual(4);
  expect(Math.max(...columns) - 5).toBeLessThan(textWidth("-0.87") * 20 + 3);
});

/** One character for each `step`×`step` cell, by the colour in its middle; `+` where no colour is near. */
function sketch(canvas: Canvas, step: number, colors: Readonly<Record<string, Color>>): string {
  const near = (x: number, y: number): string => {
    const at = pixel(canvas, x, y);
    return Object.entries(colors).find(([, color]) => color.every((c, k) => Math.abs(c - (at[k] ?? 0)) < 0.03))?.[0] ?? "+";
  };
  const rows = Array.from({ length: Math.floor(canvas.height / step) }, (_, row) =>
    Array.from({ length: Math.floor(canvas.width / step) }, (_, column) => near((column + 0.5) * step, (row + 0.5) * step))
      .join("")
      .trimEnd(),
  );
  return `\n${rows.join("\n")}\n`;
}

test("every digit looks like itself", () => {
  const canvas = new Canvas(150, 70, [0, 0, 0]);
  canvas.text("01234-", 2, 2, 28, [1, 1, 1]);
  canvas.text("56789.", 2, 40, 28, [1, 1, 1]);
  expect(sketch(canvas, 2, { "#": [1, 1, 1], " ": [0, 0, 0] })).toMatchInlineSnapshot(`
    "
       #####         ##+      +#####+     +#####+          ##+
      ######+      +###+     +#######+   +#######+        +##+
     ###  +##+    +####+     ##+   +##+  ##+   +##       +###+
     ##    +##   +##+##+    +##     +##  ##     ##+      ####+
    +#+     ##+   #+ ##+    +#+      ##         +#+     +####+
    ##+     +#+      ##+            +##         ##+    +## ##+
    ##      +##      ##+            ##+      ++###     ##+ ##+
    ##       ##      ##+           +##      +####+    ##+  ##+   +#######+
    ##      +##      ##+          +##+      +#####   +##   ##+   +########
    ##      +#+      ##+         +##+           ### +##++++##++   +++++++
    ##+     +#+      ##+        +##+             ## ###########+
    +##     ##       ##+       +##+     ++       ##++++++++##++
     ##+   +##       ##+      +##+      ##+     +##        ##+
     +##+++##+       ##+     +##++++++  +###+++###+        ##+
      +#####+        ##+    +##########  +#######+         ##+
        +#+          +#     +#########+    +###+           +#


      +++++++                +++++++++       +
     +########         ##   ###########    +####+      +####+
     +#######+        ###   +##########   #######+    ########
     +#+             ###            +#+  +##   +##   +##   +##+
     ##+            ###             ##   ##+    +#+  ##      ##
     ## ++         ###             +#+   ##     +#+ +#+      ##+
     #######+     +#####           ##+   ##+    ##+ +#+      ##+
    +########+   +#######+        +##    +##+++###  +##      ##
    +##    +##   ###   +##        ##+     +######    ##+    ###
            ##+ +##     +##      +##     +########   +###++###+
            +## ##+      ##      +#+    +##+    ###   +######+
             ## ##       ##      ##     +#+      ##     ++##+
    ++      +#+ +#+     +##     +##     ##+      ##+     ###
    ##     +##+ +##     ##+     ##+     +##     +##     ###
    +##++++##+   ###+++###     +##       ###++++##+    ###        +
     +######+     #######      +#+        #######+    +##        +#+
      ++##+        ++#++       +#          ++#++      +#          #+
    "
  `);
});

test("references stand above the picture, a curve leads from each to its face, a label stands at each end", () => {
  const three = [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ];
  const generated = fakeEmbeddings(
    [
      [0, 0, 1],
      [0.1, 0.99, 0],
      [0.6, 0.6, 0],
    ],
    { faces: fakeFaces([fakeFace(30, 40), fakeFace(100, 60, 30), fakeFace(170, 50)]) },
  );
  const matches = match(fakeEmbeddings(three), generated);
  const kept = { ...matches, pairs: matches.pairs.filter((p) => p.reference !== 0) };
  const colors = { ":": [0.5, 0.5, 0.5] as Color, "#": INK, "-": GREY, o: scoreColor(1), " ": BACKGROUND };
  const canvas = drawMatches(kept);
  expect(sketch(canvas, 20, colors)).toMatchInlineSnapshot(`
    "

            -::::::              o:::::::             o#::::::
            :::::::#             ::::::::             +:::::::
            :::::::+             ::::::::             +:::::::
            :::::::+             ::::::::             +:::::::
            :::::::              ::::::::             +:::::::
            :::::::+             ::::::::             +:::::::
            :::::::+             ::::::::             +:::::::
            :##:##+              ########             +#######
                                    o#                   ##+

                                                       #
                                                    +
     ::::::::::::::::::::::::::::::::::::::::::++::::::::::::::::::::
     ::::::::::::::::::::::::::::::::::::+o#:::::::::::::::::::::::::
     ::::::::::::::::::::::::::::::#o+:::::::::::::::::::::::::::::::
     ::::::::::::::::::::::::#o::::::::::::::::::::::::::::::::::::::
     :::::::::::::::::::o#:::::::::::::::::::::::::::::::::::::::::::
     :::::::::::::::o::::::::::::::::::::::::::::::::::::::::::::::::
     ::::::::::::o:::::::::::::::::::::::::::::::::::::::::::::::::::
     ::::::::::#:::::::::::::::::::::::::::::::::::::::::::::::::::::
     ::::::o:::::::::::::::::::::::::::::::::::::::::::::::::::::::::
     ::::::#######:::::::::::::::::::::::::::::::::::::::::::::::::::
     ::::::+:::::::::::::::::::::::::::::::::::::::::::::::::::::::::
     ::::::+:::::::::::::::::::::::::::::::::::::::::::::::::::::::::
     ::::::+::::::::::::::::::::::::::::::::::::::::::::++:++:+::::::
     ::::::+::::::::::::::::::::o:::::::::::::::::::::::::::::-::::::
     ::::::+::::::::::::::::::::::::::::::::::::::::::::::::::#::::::
     ::::::+::::::::::::::::::::::::::::::::::::::::::::::::::+::::::
     :::::::::::::::::::::::::::::::::::::::::::::::::::::::::-::::::
     :::::::::::::::::::::::::::::::::::::::::::::::::::::::::-::::::
     ::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::
     ::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::
     ::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::
     ::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::
     ::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::
     ::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::
     ::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::
     ::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::
     ::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::
     ::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::
     ::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::
     ::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::
     ::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::
     ::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::
    "
  `);
  // Pixels of each colour, and their mean place: the smallest shift of a line shows.
  const places = [INK, GREY, scoreColor(1), scoreColor(kept.pairs[1]?.similarity ?? 0)].map((color) => middle(canvas, color));
  expect(places).toMatchInlineSnapshot(`
    [
      "9171 at 659.3, 326.2",
      "1656 at 536.3, 256.7",
      "10855 at 680.5, 311.6",
      "10855 at 680.5, 311.6",
    ]
  `);
});
