//! The header of an npy file: a magic, a version, a length, and a Python dict literal with three keys.
//!
//! Errors here are the problem alone; the caller knows the file's and the tensor's name.

use std::io::Read;

use super::entry::Layout;
use super::{Element, shape};

/// What an npy file starts with.
pub(super) const MAGIC: &[u8] = b"\x93NUMPY";

/// The longest header of versions 2 and 3 that is read. Their length field could claim 4 GiB; numpy itself stops at
/// 10 000 characters unless told to trust the file.
const LONGEST_HEADER: u64 = 1 << 20;

/// numpy's own limit.
pub(super) const MOST_AXES: usize = 64;

/// What the header says.
#[derive(Debug)]
pub(super) struct Header {
    pub element: Element,
    pub layout: Layout,
    pub shape: Vec<usize>,
    /// Where the data begins.
    pub length: usize,
    /// Bytes of data; `None` for types whose size is not known here, which are not read either.
    pub data: Option<usize>,
}

impl Header {
    /// Reads just the header; the reader then stands at the data.
    pub fn read(reader: &mut impl Read) -> Result<Self, String> {
        let mut start = [0; 8];
        fill(reader, &mut start)?;
        let [ref magic @ .., major, minor] = start;
        if magic != MAGIC {
            return Err("does not start as an npy file does".to_owned());
        }
        let (length_bytes, limit) = match major {
            1 => (2, u64::from(u16::MAX)),
            2 | 3 => (4, LONGEST_HEADER),
            _ => return Err(format!("npy version {major}.{minor}: 1, 2 and 3 are read")),
        };
        let mut length = [0; 4];
        fill(reader, &mut length[..length_bytes])?;
        let length = u64::from(u32::from_le_bytes(length));
        if length > limit {
            return Err(format!("the header says it is {length} bytes long, {limit} are allowed"));
        }
        // grows with what arrives: a claimed length allocates nothing
        let mut text = Vec::new();
        let arrived = reader.take(length).read_to_end(&mut text).map_err(|error| error.to_string())?;
        if (arrived as u64) < length {
            return Err(format!("the header says it is {length} bytes long, the file holds {arrived} bytes of it"));
        }
        let Literal { descr, column_major, shape } =
            Literal::parse(&text).map_err(|problem| format!("header: {problem}"))?;
        let Type { element, big_endian, size } = Type::parse(&descr);
        let elements = shape::checked_elements(&shape);
        let bytes = elements.and_then(|elements| elements.checked_mul(size.unwrap_or(1)));
        let Some(bytes) = bytes else {
            let words = shape::words(&shape);
            return Err(format!("the header says {words} {element}, which is more than memory can address"));
        };
        let layout = Layout { column_major, big_endian };
        Ok(Self { element, layout, shape, length: 8 + length_bytes + arrived, data: size.map(|_| bytes) })
    }

    /// Checks that what follows the header is exactly the data.
    pub fn check_size(&self, held: u64) -> Result<(), String> {
        match self.data {
            Some(data) if data as u64 != held => {
                let words = shape::words(&self.shape);
                Err(format!("the header says {words} {} = {data} bytes, the file holds {held}", self.element))
            }
            _ => Ok(()),
        }
    }
}

fn fill(reader: &mut impl Read, bytes: &mut [u8]) -> Result<(), String> {
    reader.read_exact(bytes).map_err(|error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => "ends within the first bytes of its npy header".to_owned(),
        _ => error.to_string(),
    })
}

/// The type that a descr such as `<f4` means.
struct Type {
    element: Element,
    big_endian: bool,
    size: Option<usize>,
}

impl Type {
    fn parse(descr: &Descr) -> Self {
        let Descr::Plain(descr) = descr else {
            return Self { element: Element::Other("structured".to_owned()), big_endian: false, size: None };
        };
        let (order, name) = match descr.chars().next() {
            Some(order @ ('<' | '>' | '=' | '|')) => (order, &descr[1..]),
            _ => ('=', descr.as_str()),
        };
        let big_endian = match order {
            '<' => false,
            '>' => true,
            // numpy writes neither of the two for numbers, and reads them as the machine's own order
            _ => cfg!(target_endian = "big"),
        };
        let kind = name.chars().next().unwrap_or(' ');
        let digits = &name[kind.len_utf8().min(name.len())..];
        // `M8[ns]`: the unit is no part of the size
        let digits = digits.split('[').next().unwrap_or_default();
        let number = if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None };
        let (element, size) = match (name, kind) {
            ("f8", _) => (Element::F64, Some(8)),
            ("f4", _) => (Element::F32, Some(4)),
            ("f2", _) => (Element::F16, Some(2)),
            // `f16` would read as a binary16 everywhere else
            ("f12" | "f16", _) => {
                (Element::Other(if name == "f12" { "float96" } else { "float128" }.to_owned()), number)
            }
            (_, 'b' | 'i' | 'u' | 'c' | 'm' | 'M' | 'V' | 'S' | 'a') => (Element::Other(name.to_owned()), number),
            // with the order, since `u8` in other cases is an integer
            (_, 'U') => (Element::Other(descr.clone()), number.and_then(|characters: usize| characters.checked_mul(4))),
            _ => (Element::Other(name.to_owned()), None),
        };
        Self { element, big_endian, size }
    }
}

/// The value of the key `descr`.
#[derive(Debug, PartialEq)]
enum Descr {
    Plain(String),
    /// A list of fields, which is skipped.
    Structured,
}

/// The dict literal.
#[derive(Debug)]
struct Literal {
    descr: Descr,
    column_major: bool,
    shape: Vec<usize>,
}

impl Literal {
    fn parse(text: &[u8]) -> Result<Self, String> {
        let mut scanner = Scanner { text, position: 0 };
        let (mut descr, mut column_major, mut shape) = (None, None, None);
        scanner.expect(b'{')?;
        while !scanner.accept(b'}') {
            let key = scanner.string()?;
            scanner.expect(b':')?;
            let again = match key.as_str() {
                "descr" => descr.replace(scanner.descr()?).is_some(),
                "fortran_order" => column_major.replace(scanner.boolean()?).is_some(),
                "shape" => shape.replace(scanner.shape()?).is_some(),
                _ => {
                    return Err(format!("the key `{key}` is none of `descr`, `fortran_order` and `shape`"));
                }
            };
            if again {
                return Err(format!("the key `{key}` is there twice"));
            }
            if !scanner.accept(b',') {
                scanner.expect(b'}')?;
                break;
            }
        }
        if let Some(byte) = scanner.peek() {
            return Err(format!("`{}` at byte {} after its end", byte.escape_ascii(), scanner.position));
        }
        let missing = |key| format!("the key `{key}` is missing");
        Ok(Self {
            descr: descr.ok_or_else(|| missing("descr"))?,
            column_major: column_major.ok_or_else(|| missing("fortran_order"))?,
            shape: shape.ok_or_else(|| missing("shape"))?,
        })
    }
}

/// Reads the literal from left to right; nothing in it needs a stack.
struct Scanner<'a> {
    text: &'a [u8],
    position: usize,
}

impl Scanner<'_> {
    /// The next byte that is not a space.
    fn peek(&mut self) -> Option<u8> {
        while self.text.get(self.position).is_some_and(u8::is_ascii_whitespace) {
            self.position += 1;
        }
        self.text.get(self.position).copied()
    }

    fn accept(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.position += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8) -> Result<(), String> {
        if self.accept(byte) { Ok(()) } else { Err(self.surprise(&format!("`{}`", byte.escape_ascii()))) }
    }

    fn surprise(&mut self, expected: &str) -> String {
        match self.peek() {
            Some(byte) => {
                format!("{expected} expected at byte {}, `{}` found", self.position, byte.escape_ascii())
            }
            None => format!("{expected} expected at byte {}, where it ends", self.position),
        }
    }

    fn string(&mut self) -> Result<String, String> {
        let quote = match self.peek() {
            Some(quote @ (b'\'' | b'"')) => quote,
            _ => return Err(self.surprise("a string")),
        };
        let start = self.position + 1;
        let rest = self.text.get(start..).unwrap_or_default();
        let Some(length) = rest.iter().position(|&byte| byte == quote || byte == b'\\') else {
            return Err(format!("the string at byte {} does not end", self.position));
        };
        if rest[length] == b'\\' {
            return Err(format!("an escape at byte {}, which numpy never writes", start + length));
        }
        self.position = start + length + 1;
        Ok(String::from_utf8_lossy(&rest[..length]).into_owned())
    }

    fn boolean(&mut self) -> Result<bool, String> {
        self.peek();
        let rest = self.text.get(self.position..).unwrap_or_default();
        for (word, value) in [("True", true), ("False", false)] {
            if rest.starts_with(word.as_bytes()) {
                self.position += word.len();
                return Ok(value);
            }
        }
        Err(self.surprise("`True` or `False`"))
    }

    fn shape(&mut self) -> Result<Vec<usize>, String> {
        let mut shape = Vec::new();
        self.expect(b'(')?;
        while !self.accept(b')') {
            if shape.len() == MOST_AXES {
                return Err(format!("the shape has more than {MOST_AXES} axes"));
            }
            shape.push(self.number()?);
            if self.accept(b',') {
                continue;
            }
            // `(3)` is a number in Python, `(3,)` a shape
            if shape.len() == 1 {
                return Err(self.surprise("`,`"));
            }
            self.expect(b')')?;
            break;
        }
        Ok(shape)
    }

    fn number(&mut self) -> Result<usize, String> {
        self.peek();
        let rest = self.text.get(self.position..).unwrap_or_default();
        let length = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
        let digits = String::from_utf8_lossy(&rest[..length]);
        if length == 0 {
            return Err(self.surprise("a number"));
        }
        let Ok(number) = digits.parse() else {
            return Err(format!(
                "the length {} of an axis is more than memory can address",
                digits.chars().take(40).collect::<String>()
            ));
        };
        self.position += length;
        // Python 2 wrote its long integers so
        if self.text.get(self.position) == Some(&b'L') {
            self.position += 1;
        }
        Ok(number)
    }

    fn descr(&mut self) -> Result<Descr, String> {
        if self.peek() != Some(b'[') {
            return self.string().map(Descr::Plain);
        }
        let start = self.position;
        let mut depth = 0_usize;
        loop {
            match self.peek() {
                Some(b'[' | b'(') => depth += 1,
                Some(b']' | b')') => depth -= 1,
                Some(b'\'' | b'"') => {
                    self.string()?;
                    continue;
                }
                Some(_) => {}
                None => return Err(format!("the list at byte {start} does not end")),
            }
            self.position += 1;
            if depth == 0 {
                return Ok(Descr::Structured);
            }
        }
    }
}
