package org.example.cartoongan

import android.content.Context
import android.graphics.Bitmap
import android.util.Log
import java.io.FileInputStream
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.channels.FileChannel
import org.tensorflow.lite.DataType
import org.tensorflow.lite.Interpreter
import org.tensorflow.lite.gpu.CompatibilityList
import org.tensorflow.lite.gpu.GpuDelegate

private const val TAG = "Cartoonizer"
private const val CPU_THREADS = 4 // more would run on a phone's small cores, and the large ones wait for them

/**
 * Draws photos as cartoons, with a .tflite file from the app's assets.
 *
 * Create, use and close it on one thread, and not the main one: a drawing takes long, the interpreter is not
 * thread-safe, and the GPU delegate runs only on the thread that created it.
 *
 * @param asset any of the exporter's files: float32 or uint8, of free size or of a fixed one.
 * @param useGpu draw on the GPU, if there is one that the delegate supports, and on the CPU otherwise. It takes a file
 *   of fixed size.
 * @param longSide that larger photos are scaled down to, in pixels. A file of fixed size has its own.
 */
class Cartoonizer(
    context: Context,
    asset: String,
    useGpu: Boolean = false,
    private val longSide: Int = 512,
) : AutoCloseable {
    private var gpu: GpuDelegate? = null
    private val interpreter: Interpreter
    private val fixedSize: Size?
    private val isFloat: Boolean

    private var canvas: Size? = null // that the buffers have room for
    private var input = ByteBuffer.allocateDirect(0)
    private var output = ByteBuffer.allocateDirect(0)

    init {
        val model = mapped(context, asset)
        interpreter = (if (useGpu) openOnGpu(model) else null) ?: openOnCpu(model)
        val photo = interpreter.getInputTensor(0)
        fixedSize = if (isFree(interpreter)) null else Size(width = photo.shape()[2], height = photo.shape()[1])
        isFloat = photo.dataType() == DataType.FLOAT32
    }

    /** The cartoon of a photo of any size, in the photo's proportions. */
    fun draw(photo: Bitmap): Bitmap {
        require(photo.config != Bitmap.Config.HARDWARE) {
            "The pixels of a hardware bitmap cannot be read: decode the photo with ALLOCATOR_SOFTWARE"
        }
        val picture = scaledInto(fixedSize ?: Size(longSide, longSide), Size(photo.width, photo.height))
        val canvas = fixedSize ?: padded(picture)
        makeRoom(canvas)

        val pixels = IntArray(picture.width * picture.height)
        Bitmap.createScaledBitmap(photo, picture.width, picture.height, true)
            .getPixels(pixels, 0, picture.width, 0, 0, picture.width, picture.height)
        writeRgb(pixels, picture, input, canvas, isFloat)
        output.rewind()
        interpreter.run(input, output)
        val cartoon = readRgb(output, canvas, picture, isFloat)
        return Bitmap.createBitmap(cartoon, picture.width, picture.height, Bitmap.Config.ARGB_8888)
    }

    override fun close() {
        interpreter.close()
        gpu?.close() // after the interpreter, which uses it
    }

    /** Photos of one size share the interpreter's memory and the buffers; another size takes a moment longer. */
    private fun makeRoom(size: Size) {
        if (size == canvas) return
        interpreter.resizeInput(0, intArrayOf(1, size.height, size.width, 3))
        val bytes = size.width * size.height * bytesPerPixel(isFloat)
        input = ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder())
        output = ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder())
        canvas = size
    }

    private fun openOnCpu(model: ByteBuffer) =
        Interpreter(model, Interpreter.Options().apply { setNumThreads(CPU_THREADS) })

    /** Null if the GPU cannot draw: the CPU can. */
    private fun openOnGpu(model: ByteBuffer): Interpreter? {
        val delegate = CompatibilityList().use { devices ->
            if (!devices.isDelegateSupportedOnThisDevice) return null
            // Half precision is the default, in which the sums of instance normalisation overflow.
            GpuDelegate(devices.bestOptionsForThisDevice.apply { setPrecisionLossAllowed(false) })
        }
        return try {
            val opened = Interpreter(model, Interpreter.Options().apply { addDelegate(delegate) })
            if (isFree(opened)) {
                opened.close()
                throw IllegalArgumentException("its size is free: take the file with a size in its name (-512x512)")
            }
            gpu = delegate
            opened
        } catch (e: RuntimeException) { // of several kinds: the delegate's, and those of allocation
            Log.w(TAG, "The GPU does not take this file, so the CPU draws: ${e.message}")
            delegate.close()
            null
        }
    }

    private fun isFree(interpreter: Interpreter) = -1 in interpreter.getInputTensor(0).shapeSignature()

    private fun mapped(context: Context, asset: String): ByteBuffer = context.assets.openFd(asset).use {
        FileInputStream(it.fileDescriptor).channel.map(FileChannel.MapMode.READ_ONLY, it.startOffset, it.declaredLength)
    }
}
