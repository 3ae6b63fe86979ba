//! Where to listen or to connect to: an address, or a name that resolves to one.

use std::net::{SocketAddr, ToSocketAddrs};

/// The address that `text` names, such as `127.0.0.1:9919`, `[fe80::1%eth0]:9919` or `localhost:9919`.
///
/// Of a name with several addresses it is the first of IPv4, on which servers listen unless told otherwise, or else the
/// first.
///
/// # Errors
/// When `text` has no port or its name does not resolve: why, and what to write instead.
pub(super) fn parse(text: &str) -> Result<SocketAddr, String> {
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let (host, port) =
        text.rsplit_once(':').ok_or_else(|| format!("'{text}' has no port; write {text}:9919"))?;
    let port: u16 = port.parse().map_err(|_| format!("'{port}' is not a port from 0 to 65535"))?;
    let is_bracketed = host.starts_with('[') && host.ends_with(']');
    if host.is_empty() || (host.contains(':') && !is_bracketed) {
        return Err(format!("'{text}' is not an address such as 127.0.0.1:9919 or [::1]:9919"));
    }
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let found: Vec<SocketAddr> = (host, port)
        .to_socket_addrs()
        .map_err(|error| {
            format!(
                "the name '{host}' cannot be resolved: {error}; write an address such as 127.0.0.1:{port}"
            )
        })?
        .collect();
    chosen(&found)
        .ok_or_else(|| format!("the name '{host}' has no address; write one such as 127.0.0.1:{port}"))
}

fn chosen(found: &[SocketAddr]) -> Option<SocketAddr> {
    found.iter().find(|address| address.is_ipv4()).or(found.first()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_both_families_are_taken_as_they_are() {
        assert_eq!(parse("127.0.0.1:9919"), Ok("127.0.0.1:9919".parse().unwrap()));
        assert_eq!(parse("[::1]:80"), Ok("[::1]:80".parse().unwrap()));
    }

    #[test]
    fn of_several_addresses_the_first_of_ipv4_is_chosen() {
        let found = ["[::1]:1", "127.0.0.1:1", "127.0.0.2:1"].map(|text| text.parse().unwrap());
        assert_eq!(chosen(&found), Some(found[1]));
        assert_eq!((chosen(&found[..1]), chosen(&[])), (Some(found[0]), None));
    }

    #[test]
    fn a_name_resolves_and_servers_listen_on_ipv4() {
        assert_eq!(parse("localhost:9919"), Ok("127.0.0.1:9919".parse().unwrap()));
    }

    #[test]
    fn a_scope_survives_by_number_and_by_name() {
        for text in ["[fe80::1%1]:9919", "[fe80::1%lo]:9919"] {
            let Ok(SocketAddr::V6(address)) = parse(text) else { panic!("{text}: {:?}", parse(text)) };
            assert_eq!((address.scope_id(), address.port()), (1, 9919), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_what_to_write() {
        for (text, remedy) in [
            ("localhost", "write localhost:9919"),
            ("localhost:99999", "port from 0 to 65535"),
            (":9919", "such as 127.0.0.1:9919"),
            ("::1:9919", "or [::1]:9919"),
            ("a..b:9919", "write an address such as 127.0.0.1:9919"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(remedy), "{text}: {error}");
        }
    }
}
