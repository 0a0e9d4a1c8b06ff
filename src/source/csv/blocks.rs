//! Sixty-four bytes at a time: where quotes, delimiters and line ends are, as bits.

use wide::u8x16;

/// How many bytes one block has.
pub(super) const BLOCK: usize = 64;

/// Which bytes of a block are special.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Masks {
    pub(super) quotes: u64,
    pub(super) delimiters: u64,
    pub(super) line_ends: u64,
}

/// The bytes to look for, each spread over a quarter of a block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Needles {
    quote: Option<u8x16>,
    delimiter: u8x16,
    line_end: u8x16,
}

impl Needles {
    pub(super) fn new(quote: Option<u8>, delimiter: u8) -> Needles {
        Needles {
            quote: quote.map(u8x16::splat),
            delimiter: u8x16::splat(delimiter),
            line_end: u8x16::splat(b'\n'),
        }
    }

    /// Looks at one block.
    #[inline]
    pub(super) fn find(&self, block: &[u8; BLOCK]) -> Masks {
        let mut masks = Masks { quotes: 0, delimiters: 0, line_ends: 0 };
        for (place, quarter) in block.as_chunks::<16>().0.iter().enumerate() {
            let bytes = u8x16::new(*quarter);
            let mask = |needle: u8x16| u64::from(bytes.simd_eq(needle).to_bitmask()) << (16 * place);
            masks.quotes |= self.quote.map_or(0, mask);
            masks.delimiters |= mask(self.delimiter);
            masks.line_ends |= mask(self.line_end);
        }
        masks
    }
}

/// Each bit becomes the parity of itself and all below: one between an opening quote and its
/// closing one, the opening quote included.
#[inline]
pub(super) fn prefix_xor(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_special_byte_is_found_where_it_stands() {
        for at in 0..BLOCK {
            let needles = Needles::new(Some(b'"'), b';');
            let mut block = [b'x'; BLOCK];
            for (byte, expected) in [(b'"', (1, 0, 0)), (b';', (0, 1, 0)), (b'\n', (0, 0, 1)), (0, (0, 0, 0))]
            {
                block[at] = byte;
                let masks = needles.find(&block);
                let found = (masks.quotes >> at, masks.delimiters >> at, masks.line_ends >> at);
                assert_eq!(found, expected, "{byte} at {at}");
            }
        }
    }

    #[test]
    fn parity_begins_at_the_opening_quote_and_ends_before_the_closing_one() {
        assert_eq!(prefix_xor(0b0010_0100), 0b0001_1100);
        assert_eq!(prefix_xor(1 << 63), 1 << 63);
        assert_eq!(prefix_xor(1), u64::MAX);
    }
}
