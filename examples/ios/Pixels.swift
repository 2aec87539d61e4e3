// Conversions of sizes and pixels. Nothing here needs iOS, so plain unit tests can check it.

struct Size: Equatable {
    var width: Int
    var height: Int
}

/// Return the size of `picture` scaled down into `box` with its proportions kept; never enlarge it.
func scaled(_ picture: Size, into box: Size) -> Size {
    let scale = min(1, Double(box.width) / Double(picture.width), Double(box.height) / Double(picture.height))
    func scaled(_ side: Int) -> Int { max(1, Int((Double(side) * scale).rounded())) }
    return Size(width: scaled(picture.width), height: scaled(picture.height))
}

/// Return the next size that files of free size take: multiples of 4, at least 8.
func padded(_ picture: Size) -> Size {
    func padded(_ side: Int) -> Int { max(8, (side + 3) / 4 * 4) }
    return Size(width: padded(picture.width), height: padded(picture.height))
}

/// Return the pixel at `index` of a side that is mirrored beyond its `size`: 0, 1 .. size-1, size-2 .. 1, 0, 1 ..
func mirrored(_ index: Int, _ size: Int) -> Int {
    let period = 2 * size - 2
    let position = index % max(period, 1)
    return min(position, period - position)
}

/// Return RGB [canvas.height, canvas.width, 3] with a picture in the upper left corner, mirrored beyond.
///
/// The network normalises over the whole canvas, so bars of one colour would change the picture's colours.
func rgb(ofRGBA rgba: [UInt8], picture: Size, canvas: Size) -> [UInt8] {
    var rgb = [UInt8]()
    rgb.reserveCapacity(canvas.width * canvas.height * 3)
    for y in 0..<canvas.height {
        let row = mirrored(y, picture.height) * picture.width
        for x in 0..<canvas.width {
            let pixel = (row + mirrored(x, picture.width)) * 4
            rgb.append(rgba[pixel])
            rgb.append(rgba[pixel + 1])
            rgb.append(rgba[pixel + 2])
        }
    }
    return rgb
}

/// Return the upper left corner of such RGB, of `picture`'s size, as opaque RGBA.
func rgba(ofRGB rgb: [UInt8], canvas: Size, picture: Size) -> [UInt8] {
    var rgba = [UInt8](repeating: 255, count: picture.width * picture.height * 4)
    for y in 0..<picture.height {
        for x in 0..<picture.width {
            for channel in 0..<3 {
                rgba[(y * picture.width + x) * 4 + channel] = rgb[(y * canvas.width + x) * 3 + channel]
            }
        }
    }
    return rgba
}

/// Convert 0..255 to [-1, 1], which the float32 files take.
func floats(ofLevels levels: [UInt8]) -> [Float] {
    levels.map { Float($0) / 127.5 - 1 }
}

/// Convert [-1, 1] to 0..255, clipping values outside.
func levels(ofFloats floats: [Float]) -> [UInt8] {
    // In this order, `max` turns a NaN into 0; converting a NaN to UInt8 would crash the app.
    floats.map { UInt8(min(255, max(0, (($0 + 1) * 127.5).rounded()))) }
}
