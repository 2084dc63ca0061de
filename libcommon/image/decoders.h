/* The formats that are read, a row each: READ(NAME, what --version calls it), with NAME of xfv_decode_NAME and of the
 * signatures in base/format.c. Include it with READ defined. A build without a library lacks its rows. */
READ(jpeg, "JPEG")
READ(png, "PNG")
READ(webp, "WebP")
READ(bmp, "BMP")
READ(farbfeld, "farbfeld")
READ(pnm, "Netpbm")
#ifdef XFV_WITH_GIF
READ(gif, "GIF")
#endif
#ifdef XFV_WITH_TIFF
READ(tiff, "TIFF")
#endif
#ifdef XFV_WITH_HEIF
READ(heif, "HEIC AVIF")
#endif
#ifdef XFV_WITH_JXL
READ(jxl, "JPEG-XL")
#endif
#ifdef XFV_WITH_OPENJPEG
READ(jp2, "JPEG-2000")
#endif
