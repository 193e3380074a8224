// The index of a workgroup in a grid that was folded into two dimensions.

override LANES: u32 = 8u;

fn group_index(group: vec3u, groups: vec3u) -> u32 {
    return group.y * groups.x + group.x;
}

