// A picture under the site map, from a PMTiles archive (version 3) of PNG, JPEG or WebP tiles that the data room serves by byte
// ranges. Tiles are fetched when they come into sight and drawn when they have come.

import { getBytes } from "./api.js";

const HEADER_BYTES = 127;
/** Header and root directory lie within this. */
const FIRST_BYTES = 16_384;
const GZIP = 2;
const TYPES = { 2: "image/png", 3: "image/jpeg", 4: "image/webp" };
const MAX_TILES = 96;
/** Metres a pixel of a tile of 256 pixels at zoom 0 on the equator. */
const METRES_A_PIXEL = 156_543.034;

export class Background {
  /** Opens the archive; `null` where the data room has none. */
  static async open(path, changed) {
    let first;
    try {
      first = await getBytes(path, 0, FIRST_BYTES - 1);
    } catch {
      return null;
    }
    const view = new DataView(first), text = new TextDecoder().decode(first.slice(0, 7));
    if (text !== "PMTiles" || view.getUint8(7) !== 3 || !TYPES[view.getUint8(99)]) return null;
    return new Background(path, first, view, changed);
  }

  constructor(path, first, view, changed) {
    const number = (at) => Number(view.getBigUint64(at, true));
    Object.assign(this, { path, changed, tiles: new Map(), directories: new Map() });
    [this.leaves, this.data] = [number(40), number(56)];
    [this.compression, this.type] = [view.getUint8(97), TYPES[view.getUint8(99)]];
    [this.least, this.most] = [view.getUint8(100), view.getUint8(101)];
    this.root = this.inflate(first.slice(number(8), number(8) + number(16))).then(entries);
  }

  async inflate(bytes) {
    if (this.compression !== GZIP) return bytes;
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
  }

  /** The tiles in sight that have come: `{ image, west, south, east, north }` in degrees. */
  inSight([west, south, east, north], scale, latitude) {
    const wanted = Math.round(Math.log2(METRES_A_PIXEL * Math.cos((latitude * Math.PI) / 180) * scale));
    const z = Math.min(Math.max(wanted, this.least), this.most), side = 2 ** z;
    const column = (lon) => Math.min(Math.max(Math.floor(((lon + 180) / 360) * side), 0), side - 1);
    const row = (lat) => Math.min(Math.max(Math.floor(((1 - Math.asinh(Math.tan((lat * Math.PI) / 180)) / Math.PI) / 2) * side), 0), side - 1);
    const found = [];
    for (let x = column(west); x <= column(east); x++) {
      for (let y = row(north); y <= row(south) && found.length < MAX_TILES; y++) {
        const tile = this.tile(z, x, y);
        if (tile.image) found.push({ image: tile.image, west: lonOf(x, side), east: lonOf(x + 1, side), north: latOf(y, side), south: latOf(y + 1, side) });
      }
    }
    return found;
  }

  tile(z, x, y) {
    const key = `${z}/${x}/${y}`;
    let tile = this.tiles.get(key);
    if (!tile) {
      if (this.tiles.size >= 4 * MAX_TILES) this.tiles.clear();
      this.tiles.set(key, (tile = { image: null }));
      this.fetch(tileId(z, x, y)).then((image) => {
        tile.image = image;
        if (image) this.changed();
      }).catch(() => this.tiles.delete(key));
    }
    return tile;
  }

  async fetch(id) {
    let list = await this.root;
    // A directory leads to tiles or to another directory; three levels hold the whole earth.
    for (let depth = 0; depth < 4; depth++) {
      const entry = list.findLast((candidate) => candidate.id <= id);
      if (!entry || (entry.run && id >= entry.id + entry.run)) return null;
      if (entry.run) {
        const from = this.data + entry.offset;
        return createImageBitmap(new Blob([await getBytes(this.path, from, from + entry.length - 1)], { type: this.type }));
      }
      const from = this.leaves + entry.offset;
      if (!this.directories.has(from)) this.directories.set(from, getBytes(this.path, from, from + entry.length - 1).then((bytes) => this.inflate(bytes)).then(entries));
      list = await this.directories.get(from);
    }
    return null;
  }
}

/** The entries of a directory: ids as differences, runs, lengths, offsets, each a list of variable-length numbers. */
function entries(buffer) {
  const bytes = new Uint8Array(buffer);
  let at = 0;
  const next = () => {
    let value = 0, factor = 1;
    for (;;) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 128;
    }
  };
  const count = Math.min(next(), bytes.length), list = Array.from({ length: count }, () => ({}));
  let id = 0;
  for (const entry of list) entry.id = id += next();
  for (const entry of list) entry.run = next();
  for (const entry of list) entry.length = next();
  list.forEach((entry, i) => {
    const offset = next();
    entry.offset = offset === 0 && i > 0 ? list[i - 1].offset + list[i - 1].length : offset - 1;
  });
  return list;
}

/** Tiles are numbered along a Hilbert curve, zoom after zoom. */
function tileId(z, x, y) {
  let id = (4 ** z - 1) / 3;
  for (let side = 2 ** z / 2; side >= 1; side /= 2) {
    const [right, low] = [(x & side) > 0 ? 1 : 0, (y & side) > 0 ? 1 : 0];
    id += side * side * ((3 * right) ^ low);
    if (!low) [x, y] = right ? [side - 1 - y, side - 1 - x] : [y, x];
  }
  return id;
}

const lonOf = (x, side) => (x / side) * 360 - 180;
const latOf = (y, side) => (Math.atan(Math.sinh(Math.PI * (1 - (2 * y) / side))) * 180) / Math.PI;
