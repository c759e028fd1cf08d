import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { rigFromEnvironment, startBrowser } from "./server";

/** A part of what a UI test saw, in both themes, and where it goes: `docs/pictures/NAME-light.webp`. Pixels of a window of 1400 by 900. */
interface Cut {
  readonly name: string;
  readonly test: string;
  readonly picture: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const cuts: readonly Cut[] = [
  { name: "overview", test: "overview", picture: "overview", x: 48, y: 36, width: 1352, height: 800 },
  { name: "rollback", test: "rollback", picture: "6-victims", x: 440, y: 200, width: 520, height: 500 },
  { name: "inspector", test: "inspector", picture: "small-states", x: 353, y: 92, width: 1047, height: 720 },
  { name: "lint", test: "lint", picture: "java-hover", x: 353, y: 36, width: 920, height: 330 },
];

/** Cuts README's pictures out of those that the UI tests left, and writes them small. */
const rig = rigFromEnvironment();
const folder = path.join("docs", "pictures");
const browser = await startBrowser(rig);
try {
  const page = await browser.newPage();
  mkdirSync(folder, { recursive: true });
  for (const { name, test, picture, ...part } of cuts) {
    for (const theme of ["light", "dark"]) {
      const from = path.join(rig.scratch, "pictures", test, `${picture}-${theme}.png`);
      if (!existsSync(from)) throw new Error(`${from} is not there: npm test -- ui ${test} makes it.`);
      const webp = Buffer.from(await page.evaluate(async ([png, { x, y, width, height }]) => {
        const image = new Image();
        image.src = `data:image/png;base64,${png}`;
        await image.decode();
        const canvas = document.createElement("canvas");
        [canvas.width, canvas.height] = [width, height];
        canvas.getContext("2d")?.drawImage(image, x, y, width, height, 0, 0, width, height);
        return canvas.toDataURL("image/webp", 0.9).replace(/^.*,/, "");
      }, [readFileSync(from).toString("base64"), part] as const), "base64");
      const to = path.join(folder, `${name}-${theme}.webp`);
      writeFileSync(to, webp);
      console.log(`${to}  ${Math.round(webp.length / 1000)} kB`);
    }
  }
} finally {
  await browser.close();
}
