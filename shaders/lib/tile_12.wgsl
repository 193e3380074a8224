// A tile of 12 × 12 sums of products that one invocation keeps to itself, in blocks of 4 × 4 that hold a column to a
// vector.
//
// For software adapters, where a load costs some thirty times a product, so that the larger tile is the faster: 1.9x
// over 8 × 8 on lavapipe. 16 × 16 is faster by another 1.15x, and takes three seconds to compile instead of one.

const TILE_QUADS = 3u;

struct Places { p0: u32, p1: u32, p2: u32 }
struct Quads { q0: vec4f, q1: vec4f, q2: vec4f }
struct Strip { b0: mat4x4f, b1: mat4x4f, b2: mat4x4f }
struct Tile { s0: Strip, s1: Strip, s2: Strip }

// Neighbouring quads from the first on; those past the last repeat it, and what comes of them is never written.
fn places(first: u32, last: u32) -> Places {
    return Places(min(first, last), min(first + 1u, last), min(first + 2u, last));
}

fn left_quads(row: u32, at: Places) -> Quads {
    return Quads(left_quad(row + at.p0), left_quad(row + at.p1), left_quad(row + at.p2));
}

fn right_quads(row: u32, at: Places) -> Quads {
    return Quads(right_quad(row + at.p0), right_quad(row + at.p1), right_quad(row + at.p2));
}

fn strip_products(left: vec4f, right: Quads, sums: Strip) -> Strip {
    return Strip(
        block_products(left, right.q0, sums.b0),
        block_products(left, right.q1, sums.b1),
        block_products(left, right.q2, sums.b2),
    );
}

fn tile_products(left: Quads, right: Quads, sums: Tile) -> Tile {
    return Tile(
        strip_products(left.q0, right, sums.s0),
        strip_products(left.q1, right, sums.s1),
        strip_products(left.q2, right, sums.s2),
    );
}

fn strip_sum(left: Strip, right: Strip) -> Strip {
    return Strip(left.b0 + right.b0, left.b1 + right.b1, left.b2 + right.b2);
}

fn tile_sum(left: Tile, right: Tile) -> Tile {
    return Tile(strip_sum(left.s0, right.s0), strip_sum(left.s1, right.s1), strip_sum(left.s2, right.s2));
}

fn write_strip(left: u32, right: u32, strip: Strip) {
    write_block(left, right, strip.b0);
    write_block(left, right + 1u, strip.b1);
    write_block(left, right + 2u, strip.b2);
}

fn write_tile(left: u32, right: u32, tile: Tile) {
    write_strip(left, right, tile.s0);
    write_strip(left + 1u, right, tile.s1);
    write_strip(left + 2u, right, tile.s2);
}

