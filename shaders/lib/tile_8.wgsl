// A tile of 8 × 8 sums of products that one invocation keeps to itself, in blocks of 4 × 4 that hold a column to a
// vector.
//
// For graphics hardware: 64 sums fit the registers of an invocation.

const TILE_QUADS = 2u;

struct Places { p0: u32, p1: u32 }
struct Quads { q0: vec4f, q1: vec4f }
struct Strip { b0: mat4x4f, b1: mat4x4f }
struct Tile { s0: Strip, s1: Strip }

// Neighbouring quads from the first on; those past the last repeat it, and what comes of them is never written.
fn places(first: u32, last: u32) -> Places {
    return Places(min(first, last), min(first + 1u, last));
}

fn left_quads(row: u32, at: Places) -> Quads {
    return Quads(left_quad(row + at.p0), left_quad(row + at.p1));
}

fn right_quads(row: u32, at: Places) -> Quads {
    return Quads(right_quad(row + at.p0), right_quad(row + at.p1));
}

fn strip_products(left: vec4f, right: Quads, sums: Strip) -> Strip {
    return Strip(block_products(left, right.q0, sums.b0), block_products(left, right.q1, sums.b1));
}

fn tile_products(left: Quads, right: Quads, sums: Tile) -> Tile {
    return Tile(strip_products(left.q0, right, sums.s0), strip_products(left.q1, right, sums.s1));
}

fn strip_sum(left: Strip, right: Strip) -> Strip {
    return Strip(left.b0 + right.b0, left.b1 + right.b1);
}

fn tile_sum(left: Tile, right: Tile) -> Tile {
    return Tile(strip_sum(left.s0, right.s0), strip_sum(left.s1, right.s1));
}

fn write_strip(left: u32, right: u32, strip: Strip) {
    write_block(left, right, strip.b0);
    write_block(left, right + 1u, strip.b1);
}

fn write_tile(left: u32, right: u32, tile: Tile) {
    write_strip(left, right, tile.s0);
    write_strip(left + 1u, right, tile.s1);
}

