//! Names of files as text. A name is bytes, and most of them are UTF-8.

/// A path that is shown: what is not UTF-8 as `\xff`, so that two names never look the same.
pub fn shown(path: &[u8]) -> String {
    let mut text = String::with_capacity(path.len());
    for chunk in path.utf8_chunks() {
        text.push_str(&chunk.valid().replace('\\', "\\\\"));
        chunk.invalid().iter().for_each(|byte| text.push_str(&format!("\\x{byte:02x}")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_can_be_shown_and_none_looks_like_another() {
        assert_eq!(shown("sub/blåbær.log".as_bytes()), "sub/blåbær.log");
        assert_eq!(shown(b"a\xffb\xc3.log"), "a\\xffb\\xc3.log");
        assert_eq!(shown(b"a\\xff"), "a\\\\xff");
    }
}
