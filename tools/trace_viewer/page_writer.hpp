/// The page: a trace as one HTML file that any browser opens from the disk, with nothing fetched from anywhere.
///
/// Owner: nobody; one function. Threads: any, each with a stream of its own. Invariant: no text of the trace stands in
/// the file as text. All of it, names included, is packed (deflated, base64), so that no name can end a tag or begin a
/// script, and the page puts texts into the document as text only.
///
/// What the file holds beside the page itself, in this order, deflated as one stream (zlib format):
///   4 bytes          length of the JSON that follows, little-endian
///   JSON, ASCII      header, names of kinds and states, texts by id, `alive`, `folded`, problems
///   8 columns        sequence, time, subject, cause, value, text, kind, thread: a number for each event
///   1 column         the id of each node, from the smallest
/// A column is a run of LEB128 numbers without separators; its length is known from the JSON. Signed ones are zigzag.
///   sequence  difference from the one before          time   difference in nanoseconds, signed
///   subject   node number, difference, signed         cause  0 none, 1 no longer kept, else 1 + how many events back
///   value     signed; a node number where it is an id, and for `progress` total << 26 | done
///   text, kind, thread  as they are
/// Node numbers count from 1 by rising id; 0 is nobody.
#pragma once

#include "reader.hpp"

#include <iosfwd>

namespace muster::trace_viewer {

/// Writes the whole page. Failure shows in the stream's state; what has been written then is no page. Throws only
/// std::bad_alloc and what the stream is set to throw.
void write_page(const trace_data& trace, std::ostream& out);

} // namespace muster::trace_viewer
