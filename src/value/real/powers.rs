//! Powers of ten as SQLite has them: its tables, and its way to combine them,
//! ported so that the same digits come out.

/// 10^0 to 10^26, shifted so that the highest bit is set.
const BASE: [u64; 27] = [
    0x8000_0000_0000_0000,
    0xa000_0000_0000_0000,
    0xc800_0000_0000_0000,
    0xfa00_0000_0000_0000,
    0x9c40_0000_0000_0000,
    0xc350_0000_0000_0000,
    0xf424_0000_0000_0000,
    0x9896_8000_0000_0000,
    0xbebc_2000_0000_0000,
    0xee6b_2800_0000_0000,
    0x9502_f900_0000_0000,
    0xba43_b740_0000_0000,
    0xe8d4_a510_0000_0000,
    0x9184_e72a_0000_0000,
    0xb5e6_20f4_8000_0000,
    0xe35f_a931_a000_0000,
    0x8e1b_c9bf_0400_0000,
    0xb1a2_bc2e_c500_0000,
    0xde0b_6b3a_7640_0000,
    0x8ac7_2304_89e8_0000,
    0xad78_ebc5_ac62_0000,
    0xd8d7_26b7_177a_8000,
    0x8786_7832_6eac_9000,
    0xa968_163f_0a57_b400,
    0xd3c2_1bce_cced_a100,
    0x8459_5161_4014_84a0,
    0xa56f_a5b9_9019_a5c8,
];

/// Every 27th power from 10^-351 to 10^324: its first 64 bits and the next 32.
/// The entry where 10^0 would stand holds 10^-1.
const SCALE: [(u64, u32); 26] = [
    (0x8049_a4ac_0c58_11ae, 0x205b_896d),
    (0xcf42_894a_5dce_35ea, 0x5206_4cad),
    (0xa76c_5823_38ed_2621, 0xaf2a_f2b8),
    (0x873e_4f75_e222_4e68, 0x5a77_44a7),
    (0xda7f_5bf5_9096_6848, 0xaf39_a475),
    (0xb080_392c_c434_9dec, 0xbd8d_794e),
    (0x8e93_8662_882a_f53e, 0x547e_b47b),
    (0xe658_29b3_046b_0afa, 0x0cb4_a5a3),
    (0xba12_1a46_50e4_ddeb, 0x92f3_4d62),
    (0x964e_858c_91ba_2655, 0x3a6a_07f9),
    (0xf2d5_6790_ab41_c2a2, 0xfae2_7299),
    (0xc428_d05a_a475_1e4c, 0xaa97_e14c),
    (0x9e74_d1b7_91e0_7e48, 0x775e_a265),
    (0xcccc_cccc_cccc_cccc, 0xcccc_cccc),
    (0xcecb_8f27_f420_0f3a, 0x0000_0000),
    (0xa70c_3c40_a64e_6c51, 0x9990_90b6),
    (0x86f0_ac99_b4e8_dafd, 0x69a0_28bb),
    (0xda01_ee64_1a70_8de9, 0xe80e_6f48),
    (0xb01a_e745_b101_e9e4, 0x5ec0_5dd0),
    (0x8e41_ade9_fbeb_c27d, 0x1458_8f14),
    (0xe5d3_ef28_2a24_2e81, 0x8f16_68c9),
    (0xb9a7_4a06_37ce_2ee1, 0x6d95_3e2c),
    (0x95f8_3d0a_1fb6_9cd9, 0x4abd_af10),
    (0xf24a_01a7_3cf2_dccf, 0xbc63_3b39),
    (0xc3b8_3581_09e8_4f07, 0x0a86_2f81),
    (0x9e19_db92_b4e3_1ba9, 0x6c07_a2c2),
];

/// The first 64 bits of 10^`power`.
pub(super) fn of_ten(power: i32) -> u64 {
    match power {
        -1 => SCALE[13].0,
        0..27 => BASE[power as usize],
        _ => combined(power.div_euclid(27), power.rem_euclid(27) as usize),
    }
}

fn combined(group: i32, rest: usize) -> u64 {
    let (high, low) = SCALE[(group + 13) as usize];
    if rest == 0 {
        return high;
    }
    let product = product(high, low, BASE[rest]);
    ((product << product.leading_zeros()) >> 64) as u64
}

/// A 96-bit number times a 64-bit one, without the lowest 32 bits.
fn product(high: u64, low: u32, factor: u64) -> u128 {
    let factor = u128::from(factor);
    u128::from(high) * factor + ((u128::from(low) * factor) >> 32)
}

/// The exponent of the highest bit of 10^`power`.
pub(super) fn log2_of_ten(power: i32) -> i32 {
    (power * 108_853) >> 15
}

/// The number of decimal digits of 2^`power`, less one.
pub(super) fn log10_of_two(power: i32) -> i32 {
    (power * 78_913) >> 18
}
