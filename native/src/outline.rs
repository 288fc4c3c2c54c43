//! Where strings and scalars begin and end in a JSON text, found 64 signs at a time before anything is
//! read: what follows needs no look at each sign, and no guess where a string ends.
//!
//! Nothing is validated here but that no string holds a control character. There is none where the
//! processor makes it no faster than the tokens of `lexer.rs`, which say the same.

use crate::screen;

/// Places in 64 signs of a text, the first one as the lowest bit.
#[derive(Debug, Clone, Copy, Default)]
pub struct Signs {
    /// `"`, escaped or not.
    pub quotes: u64,
    /// `\`
    pub slashes: u64,
    /// Control characters.
    pub controls: u64,
    /// Digits.
    pub digits: u64,
    /// What a value rule may begin with, and the beginnings of grams (see `screen.rs`).
    pub suspects: u64,
    /// What ends a scalar: a mark, a blank, a quote.
    pub ends: u64,
    /// `{`, `[` or a blank: what a string may begin with that is JSON itself.
    pub openings: u64,
}

/// The same, as strings are read from it.
#[derive(Debug, Clone, Copy)]
struct Block {
    /// Those that open or close a string.
    quotes: u64,
    slashes: u64,
    ends: u64,
    digits: u64,
    /// Places in a string at which something may stand that is not clean, or an escape.
    suspects: u64,
}

/// Stands behind a text: a scalar ends with it.
const BEHIND: Block = Block {
    quotes: 0,
    slashes: 0,
    ends: u64::MAX,
    digits: 0,
    suspects: 0,
};

/// The outline of one text. The memory is kept for the next one.
#[derive(Debug, Default)]
pub struct Outline {
    blocks: Vec<Block>,
}

/// Those of a text of 256 KiB.
const KEPT_BLOCKS: usize = 4096 + 8;
/// Signs in a block.
const SIZE: usize = 64;
/// With those that may end a gram of its last sign.
const WINDOW: usize = SIZE + 3;
/// Digits of the shortest card number.
const CARD_MIN: u32 = 13;

/// What carries over from one block to the next.
#[derive(Default)]
struct Carry {
    /// The first sign is escaped.
    escaped: u64,
    /// All bits, if a string is open.
    open: u64,
    /// The last sign was a quote.
    quote: u64,
}

impl Outline {
    /// Return what is kept of it for the next text: no large memory.
    #[must_use]
    pub fn kept(self) -> Self {
        if self.blocks.capacity() > KEPT_BLOCKS {
            Self::default()
        } else {
            self
        }
    }

    /// Outline a text; None where that is no faster, or if a string in it cannot be one.
    pub fn of(&mut self, text: &[u8]) -> Option<&Self> {
        self.blocks.clear();
        #[cfg(target_arch = "x86_64")]
        if text.len() >= SIZE && screen::avx2::is_here() {
            return self.read(text, screen::avx2::signs_of).then_some(self);
        }
        None
    }

    fn read(&mut self, text: &[u8], signs_of: impl Fn(&[u8; WINDOW]) -> Signs) -> bool {
        self.blocks.reserve(text.len() / SIZE + 4);
        let mut carry = Carry::default();
        let mut wrong = 0;
        let mut rest = text;
        while let Some(window) = rest.first_chunk() {
            wrong |= self.push(signs_of(window), &mut carry);
            rest = &rest[SIZE..];
        }
        while !rest.is_empty() {
            let mut window = [b' '; WINDOW];
            let size = rest.len().min(WINDOW);
            window[..size].copy_from_slice(&rest[..size]);
            wrong |= self.push(signs_of(&window), &mut carry);
            rest = rest.get(SIZE..).unwrap_or_default();
        }
        for _ in 0..2 {
            self.blocks.push(BEHIND);
        }
        wrong | carry.open == 0
    }

    /// Add a block; return the control characters in its strings.
    fn push(&mut self, signs: Signs, carry: &mut Carry) -> u64 {
        let quotes = signs.quotes & !escaped(signs.slashes, &mut carry.escaped);
        let within = parity(quotes) ^ carry.open; // from each opening quote to before the closing one
        let first = (quotes << 1 | carry.quote) & signs.openings;
        carry.open = 0_u64.wrapping_sub(within >> 63);
        carry.quote = quotes >> 63;
        self.blocks.push(Block {
            quotes,
            slashes: signs.slashes,
            ends: signs.ends,
            digits: signs.digits,
            suspects: signs.suspects | signs.slashes | first,
        });
        signs.controls & within
    }

    /// Return what stands in the 64 signs from `at` on. Always of two blocks, as where a block ends is hard
    /// to guess.
    #[inline(always)]
    fn window(&self, at: usize) -> Option<Window<'_>> {
        let number = at / SIZE;
        let blocks = self.blocks.get(number..number + 2)?.first_chunk()?;
        Some(Window {
            blocks,
            shift: (at % SIZE) as u32,
        })
    }

    /// Return where the string closes that opens at `start`, and what is known of what stands in it.
    #[inline(always)]
    #[must_use]
    pub fn string(&self, start: usize) -> Option<Text> {
        let window = self.window(start + 1)?;
        let quotes = window.of(|block| block.quotes);
        if quotes == 0 {
            return self.long_string(start);
        }
        let within = quotes.wrapping_sub(1) & !quotes; // below the lowest one
        let slashes = window.of(|block| block.slashes) & within;
        let suspects = window.of(|block| block.suspects) & within;
        let digits = window.of(|block| block.digits) & within;
        Some(Text {
            closing: start + 1 + quotes.trailing_zeros() as usize,
            is_plain: slashes == 0,
            is_clean: suspects == 0 && digits.count_ones() < CARD_MIN,
        })
    }

    #[cold]
    fn long_string(&self, start: usize) -> Option<Text> {
        let mut at = start + 1;
        let (mut slashes, mut suspects, mut digits) = (0, 0, 0);
        loop {
            let window = self.window(at)?;
            let quotes = window.of(|block| block.quotes);
            let within = quotes.wrapping_sub(1) & !quotes; // all, if there is none
            slashes |= window.of(|block| block.slashes) & within;
            suspects |= window.of(|block| block.suspects) & within;
            digits += (window.of(|block| block.digits) & within).count_ones();
            if quotes != 0 {
                return Some(Text {
                    closing: at + quotes.trailing_zeros() as usize,
                    is_plain: slashes == 0,
                    is_clean: suspects == 0 && digits < CARD_MIN,
                });
            }
            at += SIZE;
        }
    }

    /// Return where the scalar ends that begins at `start`, and the places in it that are no digits. None
    /// if it is long.
    #[inline(always)]
    #[must_use]
    pub fn scalar(&self, start: usize) -> Option<(usize, u64)> {
        let window = self.window(start)?;
        let ends = window.of(|block| block.ends);
        let within = ends.wrapping_sub(1) & !ends;
        let others = !window.of(|block| block.digits) & within;
        (ends != 0).then(|| (start + ends.trailing_zeros() as usize, others))
    }
}

/// What is known of a string before it is read.
#[derive(Debug, Clone, Copy)]
pub struct Text {
    /// Where its closing quote stands.
    pub closing: usize,
    /// No escape is in it.
    pub is_plain: bool,
    /// The same, and no value rule could change it.
    pub is_clean: bool,
}

/// 64 signs that need not begin where a block does.
struct Window<'o> {
    blocks: &'o [Block; 2],
    shift: u32,
}

impl Window<'_> {
    #[inline(always)]
    fn of(&self, places: impl Fn(&Block) -> u64) -> u64 {
        let [first, second] = self.blocks;
        places(first) >> self.shift | places(second) << 1 << (SIZE as u32 - 1 - self.shift)
    }
}

/// Return the signs behind an odd number of backslashes.
#[inline]
fn escaped(slashes: u64, carry: &mut u64) -> u64 {
    const EVEN: u64 = 0x5555_5555_5555_5555;
    if slashes == 0 {
        return std::mem::take(carry);
    }
    let slashes = slashes & !*carry;
    let behind = slashes << 1 | *carry;
    let odd = slashes & !EVEN & !behind; // rows of backslashes that begin at an odd place
    let (even_ends, overflows) = odd.overflowing_add(slashes);
    *carry = u64::from(overflows);
    (EVEN ^ even_ends << 1) & behind
}

/// Return for each place whether the number of bits up to it is odd.
#[inline]
fn parity(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}
