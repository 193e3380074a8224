//! The Python dict literal in the header of an npy file.

/// The largest number of axes of an array, numpy's own limit.
pub(super) const MOST_AXES: usize = 64;

/// The value of the key `descr`.
#[derive(Debug, PartialEq)]
pub(super) enum Descr {
    /// The name of a type, such as `<f4`.
    Plain(String),
    /// A list of fields, which the reader skips.
    Structured,
}

/// The values of the three keys.
#[derive(Debug)]
pub(super) struct Literal {
    /// The type of the elements.
    pub descr: Descr,
    /// Whether the first axis varies fastest.
    pub column_major: bool,
    /// The lengths of the axes.
    pub shape: Vec<usize>,
}

impl Literal {
    /// Reads a literal; the error tells the fault and its place.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
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

/// A reader of the literal from left to right, without a stack.
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
            // A comma decides, because `(3)` is a number in Python and `(3,)` a shape.
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
        // Python 2 wrote its long integers with an L.
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
