// Which vectors still matter: `mask` has one entry a vector, or none at all (`masked` 0), when all of them do.

fn skips(vector: u32, masked: u32) -> bool {
    return masked != 0u && mask[vector] == 0u;
}

