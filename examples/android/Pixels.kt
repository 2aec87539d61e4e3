package org.example.cartoongan

import java.nio.ByteBuffer
import kotlin.math.roundToInt

// Conversions of sizes and pixels. Nothing here needs Android, so plain unit tests can check it.

data class Size(val width: Int, val height: Int)

/** Return the size of [picture] scaled down into [box] with its proportions kept; never enlarge it. */
fun scaledInto(box: Size, picture: Size): Size {
    val scale = minOf(1.0, box.width / picture.width.toDouble(), box.height / picture.height.toDouble())
    fun scaled(side: Int) = maxOf(1, (side * scale).roundToInt())
    return Size(scaled(picture.width), scaled(picture.height))
}

/** Return the next size that files of free size take: multiples of 4, at least 8. */
fun padded(picture: Size): Size {
    fun padded(side: Int) = maxOf(8, (side + 3) / 4 * 4)
    return Size(padded(picture.width), padded(picture.height))
}

/** Return the pixel at [index] of a side that is mirrored beyond its [size]: 0, 1 .. size-1, size-2 .. 1, 0, 1 .. */
fun mirrored(index: Int, size: Int): Int {
    val period = 2 * size - 2
    val position = index % maxOf(period, 1)
    return minOf(position, period - position)
}

/**
 * Fill a tensor [1, canvas.height, canvas.width, 3] with a picture in the upper left corner, mirrored beyond.
 *
 * The network normalises over the whole canvas, so bars of one colour would change the picture's colours.
 */
fun writeRgb(argb: IntArray, picture: Size, tensor: ByteBuffer, canvas: Size, isFloat: Boolean) {
    tensor.rewind()
    for (y in 0 until canvas.height) {
        val row = mirrored(y, picture.height) * picture.width
        for (x in 0 until canvas.width) {
            val pixel = argb[row + mirrored(x, picture.width)]
            for (shift in 16 downTo 0 step 8) {
                val level = pixel shr shift and 0xff
                if (isFloat) tensor.putFloat(level / 127.5f - 1f) else tensor.put(level.toByte())
            }
        }
    }
    tensor.rewind()
}

/** Read the upper left corner of such a tensor, of [picture]'s size, as opaque ARGB. */
fun readRgb(tensor: ByteBuffer, canvas: Size, picture: Size, isFloat: Boolean): IntArray {
    val argb = IntArray(picture.width * picture.height)
    for (y in 0 until picture.height) {
        tensor.position(y * canvas.width * bytesPerPixel(isFloat))
        for (x in 0 until picture.width) {
            var pixel = 0xff
            repeat(3) {
                val level = if (isFloat) toLevel(tensor.getFloat()) else tensor.get().toInt() and 0xff
                pixel = pixel shl 8 or level
            }
            argb[y * picture.width + x] = pixel
        }
    }
    return argb
}

fun bytesPerPixel(isFloat: Boolean) = if (isFloat) 3 * Float.SIZE_BYTES else 3

private fun toLevel(value: Float) = ((value + 1f) * 127.5f).roundToInt().coerceIn(0, 255)
