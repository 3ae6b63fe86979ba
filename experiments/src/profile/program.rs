//! Names of the functions of a process, from its memory map and the files that are mapped.

use std::fs;
use std::path::Path;

use anyhow::Context;
use object::{Object, ObjectSegment, ObjectSymbol, SymbolKind};
use rustc_demangle::demangle;

/// What a process executes.
#[derive(Clone, Debug, Default)]
pub struct ProgramNames {
    mappings: Vec<Mapping>,
}

/// A part of a file that is mapped to be executed.
#[derive(Clone, Debug)]
struct Mapping {
    start: u64,
    end: u64,
    /// Of `start` in the file.
    offset: u64,
    /// The file's name without its folders.
    file: String,
    functions: Functions,
}

/// The functions of a file. Empty for what is no file, such as the vdso, or has no symbols.
#[derive(Clone, Debug, Default)]
struct Functions {
    /// File offset, size and address of what is loaded.
    segments: Vec<(u64, u64, u64)>,
    /// Address, size and mangled name, ascending.
    symbols: Vec<(u64, u64, String)>,
}

impl ProgramNames {
    /// Those of process `pid` as it is now.
    ///
    /// # Errors
    /// When its memory map cannot be read.
    pub fn read(pid: u32) -> anyhow::Result<Self> {
        let path = format!("/proc/{pid}/maps");
        let maps = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        Ok(Self { mappings: maps.lines().filter_map(mapping).collect() })
    }

    /// The function that `address` is in, or the file in brackets. `None` where nothing is mapped to be executed.
    pub fn name(&self, address: u64) -> Option<String> {
        let found = self.mappings.iter().find(|mapping| (mapping.start..mapping.end).contains(&address));
        let mapping = found?;
        let in_file = address - mapping.start + mapping.offset;
        let name = mapping.functions.at(in_file);
        Some(name.unwrap_or_else(|| format!("[{}]", mapping.file)))
    }
}

/// What a line of /proc/PID/maps says, if it is of something executable. Source: proc_pid_maps(5).
fn mapping(line: &str) -> Option<Mapping> {
    let mut words = line.split_ascii_whitespace();
    let (start, end) = words.next()?.split_once('-')?;
    let is_executable = words.next()?.contains('x');
    let offset = u64::from_str_radix(words.next()?, 16).ok()?;
    let path = Path::new(words.nth(2).unwrap_or("anonymous"));
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    is_executable.then_some(Mapping {
        start: u64::from_str_radix(start, 16).ok()?,
        end: u64::from_str_radix(end, 16).ok()?,
        offset,
        file: name.trim_matches(['[', ']']).to_owned(),
        functions: Functions::read(path),
    })
}

impl Functions {
    fn read(path: &Path) -> Self {
        fs::read(path).ok().and_then(|bytes| Self::parse(&bytes)).unwrap_or_default()
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let file = object::File::parse(bytes).ok()?;
        let segment = |segment: object::Segment<'_, '_>| {
            let (offset, size) = segment.file_range();
            (offset, size, segment.address())
        };
        let mut symbols: Vec<_> = file
            .symbols()
            .chain(file.dynamic_symbols())
            .filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.size() > 0)
            .filter_map(|symbol| Some((symbol.address(), symbol.size(), symbol.name().ok()?.to_owned())))
            .collect();
        symbols.sort();
        Some(Self { segments: file.segments().map(segment).collect(), symbols })
    }

    fn at(&self, in_file: u64) -> Option<String> {
        let of = |(offset, size, address): &(u64, u64, u64)| {
            (*offset..offset + size).contains(&in_file).then(|| in_file - offset + address)
        };
        let address = self.segments.iter().find_map(of)?;
        let after = self.symbols.partition_point(|(start, ..)| *start <= address);
        let (start, size, name) = self.symbols.get(after.checked_sub(1)?)?;
        (address < start + size).then(|| written(name))
    }
}

/// `symbol` as its author wrote it, without the hash that the compiler adds.
fn written(symbol: &str) -> String {
    format!("{:#}", demangle(symbol))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[inline(never)]
    fn known_by_its_name() -> u64 {
        std::hint::black_box(7)
    }

    #[test]
    fn a_function_of_this_process_is_found_by_its_address() {
        let names = ProgramNames::read(std::process::id()).unwrap();
        let address = known_by_its_name as *const () as u64;
        assert_eq!(known_by_its_name(), 7);
        let name = names.name(address).unwrap();
        assert!(name.ends_with("program::tests::known_by_its_name"), "{name}");
        assert_eq!(names.name(1), None);
    }

    #[test]
    fn only_what_is_executable_is_taken_and_what_is_no_file_is_named_in_brackets() {
        assert!(mapping("7f00-7f10 rw-p 00000000 00:00 0 [heap]").is_none());
        let vdso = mapping("7f00-7f10 r-xp 00000000 00:00 0 [vdso]").unwrap();
        let names = ProgramNames { mappings: vec![vdso] };
        assert_eq!([names.name(0x7f05), names.name(0x7f10)], [Some("[vdso]".to_owned()), None]);
    }
}
